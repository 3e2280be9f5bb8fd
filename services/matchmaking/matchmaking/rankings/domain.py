"""A version of the weights and its life: `candidate → active → retired`, and back when it wins again."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from common.contracts.envelope import Contract
from common.errors import Conflict, wrong_state

from matchmaking.matching.weights import Weights
from matchmaking.rankings import documents
from matchmaking.rankings.evaluation import LEAST_CASES, Evaluation

RankingState = Literal["candidate", "active", "retired"]
NAMES_ZH: dict[RankingState, str] = {"candidate": "候选", "active": "现行", "retired": "已停用"}
SHIPPED_BY = "release"


class Ranking(Contract):
    """A version of the weights.

    Shape: `evaluation` is this service's own, `claimed` and `trained_on` what its maker said. One that
    another replaced is retired without `retired_at`: to it the way leads back.
    """

    version: str
    document: dict[str, Any]
    state: RankingState
    made_by: str
    trained_on: dict[str, Any] = {}
    claimed: dict[str, Any] = {}
    evaluation: dict[str, Any] = {}
    created_at: datetime | None = None
    activated_at: datetime | None = None
    activated_by: str | None = None
    retired_at: datetime | None = None
    retired_by: str | None = None


def shipped(weights: Weights, rankings: Iterable[Ranking]) -> Ranking:
    """The weights of this release: active when no other is."""
    replaced = any(ranking.state == "active" for ranking in rankings)
    return Ranking(
        version=weights.version,
        document=documents.document(weights),
        state="retired" if replaced else "active",
        made_by=SHIPPED_BY,
    )


def submitted(
    weights: Weights,
    *,
    trained_on: dict[str, Any],
    claimed: dict[str, Any],
    evaluation: Evaluation,
    by: str,
    at: datetime,
) -> Ranking:
    return Ranking(
        version=weights.version,
        document=documents.document(weights),
        state="candidate",
        made_by=by,
        trained_on=trained_on,
        claimed=claimed,
        evaluation=evaluation.model_dump(),
        created_at=at,
    )


def check_same(held: Ranking, weights: Weights) -> None:
    """A version names one content for ever. Raises: Conflict."""
    if held.document != documents.document(weights):
        raise Conflict(
            "weights-exist",
            zh=f"版本 {held.version} 已存在且内容不同；请换一个版本号",
            en=f"there is another version {held.version} already; give this one a name of its own",
            field="document.version",
        )


def check_activatable(ranking: Ranking) -> None:
    """Raises: Conflict when it is active already, and for the release's own, which is what remains."""
    if ranking.state == "active":
        raise _wrong(ranking, zh="启用", en="activated")
    _check_not_shipped(ranking)


def activate(ranking: Ranking, evaluation: Evaluation, *, by: str, at: datetime) -> Ranking:
    """Raises: Conflict unless it wins on enough cases that were held out."""
    if not evaluation.wins:
        raise Conflict(
            "weights-not-better",
            zh=f"该版本在留出案例上没有胜过现行版本 {evaluation.against}：留出案例 {evaluation.cases} 个"
            f"（至少 {LEAST_CASES} 个），nDCG@10 差值 {evaluation.difference:+.4f}，"
            f"95% 区间 [{evaluation.low:+.4f}, {evaluation.high:+.4f}] 须全部大于 0；现行版本不变，请积累案例后重新训练",
            en=f"this version does not win against {evaluation.against} on held-out cases: {evaluation.cases} "
            f"cases (at least {LEAST_CASES}), nDCG@10 difference {evaluation.difference:+.4f}, 95 % interval "
            f"[{evaluation.low:+.4f}, {evaluation.high:+.4f}] must be above 0; nothing has changed, train again "
            "when there are more cases",
            evaluation=evaluation.model_dump(),
        )
    return ranking.model_copy(
        update={
            "state": "active",
            "evaluation": evaluation.model_dump(),
            "activated_at": at,
            "activated_by": by,
            "retired_at": None,
            "retired_by": None,
        }
    )


def replaced(ranking: Ranking) -> Ranking:
    """Another one has become active; the way back leads here."""
    return ranking.model_copy(update={"state": "retired"})


def retire(ranking: Ranking, *, by: str, at: datetime) -> Ranking:
    """Raises: Conflict for one that was retired before, and for the release's own, which is what remains."""
    _check_not_shipped(ranking)
    if ranking.state == "retired" and ranking.retired_at is not None:
        raise _wrong(ranking, zh="停用", en="retired")
    return ranking.model_copy(update={"state": "retired", "retired_at": at, "retired_by": by})


def previous(rankings: Iterable[Ranking]) -> Ranking | None:
    """The one to go back to: the last that was active and was replaced, not retired. None is the release's."""
    found = [
        ranking
        for ranking in rankings
        if ranking.state == "retired" and ranking.retired_at is None and ranking.activated_at is not None
    ]
    return max(found, key=lambda ranking: (ranking.activated_at, ranking.version), default=None)


def restored(ranking: Ranking) -> Ranking:
    """Active again because its successor went."""
    return ranking.model_copy(update={"state": "active"})


def _check_not_shipped(ranking: Ranking) -> None:
    if ranking.made_by == SHIPPED_BY:
        raise Conflict(
            "weights-shipped",
            zh="随软件发布的权重在没有其他现行版本时自动生效，不能单独启用或停用；停用现行版本即可恢复",
            en="the weights of the release hold when no other version is active; to return to them retire the active one",
        )


def _wrong(ranking: Ranking, *, zh: str, en: str) -> Conflict:
    return wrong_state("weights", ranking.state, "权重版本", NAMES_ZH[ranking.state], zh=zh, en=en)
