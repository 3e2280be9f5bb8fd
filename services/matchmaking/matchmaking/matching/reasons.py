"""Why an offering is shown: one plain sentence in Chinese and one in English."""

from collections.abc import Sequence
from typing import TypeAlias

from common.contracts.demands import Demand
from common.contracts.offerings import Price
from reference import categories, divisions

from matchmaking.matching.lexical import Answer
from matchmaking.matching.listing import Listing, Offer

Answered: TypeAlias = Sequence[Answer]

SHOWN_WORDS, SHOWN_EXPRESSIONS = 6, 2
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

_RELAXED = {
    "service-area": (
        "其服务范围未写明包含您所在地，可先询问",
        "its service area does not name your place: ask first",
    ),
    "category": ("不属于您所选类别", "it is outside the category you named"),
}


def _place(code: str) -> tuple[str, str]:
    try:
        found = divisions.get(code)
    except divisions.UnknownDivision:
        return code, code
    return found.zh, found.en


def _words(answered: Answered, listing: Listing) -> tuple[str, str]:
    """What it says itself, by which of its words it answers to others, and what its category stands for."""
    said = [one for one in answered if one.field != "category" and one.by == one.said][:SHOWN_WORDS]
    meant = [one for one in answered if one.field != "category" and one.by != one.said][:SHOWN_EXPRESSIONS]
    kind = [one.said for one in answered if one.field == "category"][:SHOWN_WORDS]
    zh: list[str] = []
    en: list[str] = []
    if said:
        words = [one.said for one in said]
        titled = any(one.field == "title" for one in said)
        zh.append(f"{'名称' if titled else '说明'}中有您所说的“{'、'.join(words)}”")
        en.append(f"its {'title' if titled else 'description'} has your “{', '.join(words)}”")
    for one in meant:
        zh.append(f"其“{one.by}”对应您所说的“{one.said}”")
        en.append(f"its “{one.by}” answers to your “{one.said}”")
    if kind:
        try:
            category = categories.get(listing.category)
            names = category.zh, category.en
        except categories.UnknownCategory:
            names = listing.category, listing.category
        zh.append(f"所属类别“{names[0]}”对应“{'、'.join(kind)}”")
        en.append(f"its category {names[1]} stands for “{', '.join(kind)}”")
    if not zh:
        return "说明与您的需求意思相近", "its description means nearly what you need"
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


def _known(offer: Offer) -> tuple[str, str]:
    grades = offer.supplier.standing
    if not grades.grade_count:
        return "尚无评价", "not rated yet"
    mean = grades.grade_sum / grades.grade_count
    return f"评价{mean:.1f}分（{grades.grade_count}次）", f"rated {mean:.1f} of 5 ({grades.grade_count})"


def sentences(
    demand: Demand, offer: Offer, answered: Answered, relaxed: Sequence[str] = ()
) -> tuple[str, str]:
    """Chinese and English: what answers to the need, where it is, what it costs, how it was rated."""
    listing = offer.listing
    words_zh, words_en = _words(answered, listing)
    near_zh, near_en = _NEAR[divisions.relation(demand.division, listing.division)]
    place_zh, place_en = _place(listing.division)
    price_zh, price_en = price(listing.price)
    known_zh, known_en = _known(offer)
    zh = [words_zh, f"{near_zh}（{place_zh}）", price_zh]
    en = [words_en, f"{near_en} ({place_en})", price_en]
    if listing.lead_days is not None:
        zh.append(f"约{listing.lead_days}天完成")
        en.append(f"takes about {listing.lead_days} days")
    zh.append(known_zh)
    en.append(known_en)
    for condition in relaxed:
        zh.append(_RELAXED[condition][0])
        en.append(_RELAXED[condition][1])
    english = "; ".join(en)
    return "；".join(zh) + "。", english[0].upper() + english[1:] + "."
