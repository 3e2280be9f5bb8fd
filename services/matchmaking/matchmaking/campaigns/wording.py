"""Limits in words, Chinese and English."""

from collections.abc import Sequence

from reference import divisions

from matchmaking.campaigns.plans import Worded
from matchmaking.campaigns.problem import Binding, Constraint
from matchmaking.campaigns.selection import Inputs

SHOWN = 50


class Names:
    """What ids of a problem are called."""

    def __init__(self, given: Inputs):
        self._providers = {one.key: one.name for one in given.providers}
        self._demands = {one.key: one.number for one in given.demands}

    def words(self, limit: Constraint) -> tuple[str, str]:
        """One limit; a subject of "" where there might be one means all of that kind."""
        many, yuan = limit.subject == "", _yuan(limit.limit)
        provider = self._providers.get(limit.subject, limit.subject)
        demand = self._demands.get(limit.subject, limit.subject)
        match limit.kind:
            case "budget":
                return f"预算 {yuan} 元", f"a budget of {yuan} yuan"
            case "capacity":
                zh, en = (("各机构容量合计", "all capacities together,") if many else (f"{provider}容量", f"{provider}'s capacity of"))  # fmt: skip
                return f"{zh} {limit.limit}", f"{en} {limit.limit}"
            case "provider-budget":
                zh, en = (("各机构限额合计", "all providers' limits together,") if many else (f"{provider}限额", f"{provider}'s limit of"))  # fmt: skip
                return f"{zh} {yuan} 元", f"{en} {yuan} yuan"
            case "provider-least":
                zh, en = ("各机构", "the providers") if many else (provider, provider)
                return f"{zh}至少 {limit.limit} 项", f"at least {limit.limit} for {en}"
            case "required":
                zh, en = ("须安排的各项需求", "the required demands") if many else (f"需求 {demand} 须安排", f"demand {demand} is required")  # fmt: skip
                return (f"{zh}（{limit.limit} 项）", f"{en} ({limit.limit})") if many else (zh, en)
            case "excluded":
                return ("各项排除", "the exclusions") if many else (f"需求 {demand} 的排除机构", f"the exclusions of demand {demand}")  # fmt: skip
            case "league-least":
                zh, en = ("各盟市", "the leagues together") if many else _place(limit.subject)
                return f"{zh}至少 {limit.limit} 项", f"at least {limit.limit} in {en}"
            case "most-share":
                return f"单家机构至多 {limit.limit}%", f"at most {limit.limit}% for one provider"
            case "newcomers-share":
                return f"新机构至少 {limit.limit}%", f"at least {limit.limit}% for newcomers"


def worded(names: Names, limit: Constraint, worth: float | None = None) -> Worded:
    zh, en = names.words(limit)
    return Worded(kind=limit.kind, subject=limit.subject, limit=limit.limit, zh=zh, en=en, worth=worth)


def clash(names: Names, limits: Sequence[Constraint]) -> tuple[Worded, ...]:
    return tuple(worded(names, limit) for limit in limits)


def binding(names: Names, found: Sequence[Binding]) -> tuple[Worded, ...]:
    """The dearest ones."""
    return tuple(worded(names, one.constraint, one.worth) for one in found[:SHOWN])


def sentence(clashes: Sequence[Worded]) -> tuple[str, str]:
    """What clashes, in one sentence."""
    if len(clashes) == 1:
        only = clashes[0]
        return f"「{only.zh}」无法满足；请放宽", f"“{only.en}” cannot be met; relax it"
    zh = "与".join(f"「{one.zh}」" for one in clashes)
    en = ", ".join(f"“{one.en}”" for one in clashes)
    return f"{zh}冲突；请放宽其中之一", f"these clash: {en}; relax one of them"


def _yuan(cents: int) -> str:
    whole, rest = divmod(cents, 100)
    return f"{whole:,}.{rest:02}" if rest else f"{whole:,}"


def _place(code: str) -> tuple[str, str]:
    place = divisions.get(code)
    return place.zh, place.en
