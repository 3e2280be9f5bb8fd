"""Why an offering is shown: one plain sentence in Chinese and one in English."""

from common.contracts.demands import Demand
from common.contracts.offerings import Price
from reference import categories, divisions

from matchmaking.matching.listing import Listing
from matchmaking.matching.retrieval import Evidence

SHOWN_WORDS = 6
_UNITS = {
    "case": ("次", "case"), "hour": ("小时", "hour"), "day": ("天", "day"), "sample": ("样", "sample"),
    "month": ("月", "month"), "year": ("年", "year"), "person": ("人", "person"), "percent": ("%", "%"),
    "square_metre": ("平方米", "square metre"),
}  # fmt: skip
_NEAR = {
    "same_county": ("与您同旗县", "in your banner or county"),
    "same_league": ("与您同盟市", "in your league or city"),
    "region": ("在区内", "elsewhere in the region"),
    "outside": ("在区外", "outside the region"),
}


def _place(code: str) -> tuple[str, str]:
    try:
        found = divisions.get(code)
    except divisions.UnknownDivision:
        return code, code
    return found.zh, found.en


def _words(evidence: Evidence, listing: Listing) -> tuple[str, str]:
    said, meant = evidence.said[:SHOWN_WORDS], evidence.by_category[:SHOWN_WORDS]
    zh, en = [], []
    if said:
        zh.append(f"说明中有您所说的“{'、'.join(said)}”")
        en.append(f"its description answers to “{', '.join(said)}”")
    if meant:
        try:
            category = categories.get(listing.category)
            names = category.zh, category.en
        except categories.UnknownCategory:
            names = listing.category, listing.category
        zh.append(f"所属类别“{names[0]}”对应“{'、'.join(meant)}”")
        en.append(f"its category {names[1]} stands for “{', '.join(meant)}”")
    if not zh:
        return "属于您所选类别", "it is in the category you named"
    return "，".join(zh), ", ".join(en)


def _yuan(cents: int) -> str:
    return f"{cents // 100}" if cents % 100 == 0 else f"{cents / 100:.2f}"


def price(price: Price) -> tuple[str, str]:
    low, high = price.from_cents, price.to_cents
    if low is None and high is None:
        return "价格面议", "price by agreement"
    if low in (None, 0) and high == 0:
        return "免费", "free of charge"
    unit_zh, unit_en = _UNITS[price.unit]
    known = [cents for cents in (low, high) if cents is not None]
    figures = "–".join(dict.fromkeys(_yuan(cents) for cents in known))
    open_zh = "" if len(known) == 2 else ("起" if high is None else "以内")
    open_en = "" if len(known) == 2 else ("from " if high is None else "up to ")
    if price.unit == "percent":
        return f"费率{figures}%{open_zh}", f"rate {open_en}{figures}%"
    return f"价格{figures}元/{unit_zh}{open_zh}", f"{open_en}{figures} yuan per {unit_en}"


def sentences(demand: Demand, listing: Listing, evidence: Evidence) -> tuple[str, str]:
    """Chinese and English: matched words, where it is, what it costs, how long it takes."""
    words_zh, words_en = _words(evidence, listing)
    near_zh, near_en = _NEAR[divisions.relation(demand.division, listing.division)]
    place_zh, place_en = _place(listing.division)
    price_zh, price_en = price(listing.price)
    zh = [words_zh, f"{near_zh}（{place_zh}）", price_zh]
    en = [words_en, f"{near_en} ({place_en})", price_en]
    if listing.lead_days is not None:
        zh.append(f"约{listing.lead_days}天完成")
        en.append(f"takes about {listing.lead_days} days")
    english = "; ".join(en)
    return "；".join(zh) + "。", english[0].upper() + english[1:] + "."
