"""Test platforms by what the hub sees of them, keep the reports, and admit who passed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from common import audit, ids, outbox
from common.auth import Principal
from common.contracts.digests import Noun
from common.digests import Digest, Record
from common.errors import Conflict, Forbidden, absent
from common.preconditions import Match
from conformance import bus, exchange, fetching, serving
from conformance.bus import BusObserved
from conformance.exchange import Beats, Held, Observed, Told
from conformance.records import Published
from conformance.reports import Report
from conformance.script import Script, script
from sqlalchemy.ext.asyncio import AsyncSession

from hub.catalogue import service as catalogue
from hub.changes import service as changes
from hub.conformance import domain, repository
from hub.conformance.domain import PROBES, Mode, Run
from hub.dead_letters import service as dead_letters
from hub.drift import service as drift
from hub.members import service as members
from hub.members.domain import Member, Membership, pulled
from hub.messages import service as messages
from hub.nodes import service as nodes

# The content of so many records is judged; every one counts in the digest.
JUDGED = 20_000
NOUNS: tuple[Noun, ...] = ("provider", "offering")


async def begin(tx: AsyncSession, who: Principal, node: str, *, at: datetime) -> Run:
    """Give a platform the script of a run, and put probes into its feed.

    Raises: NotFound; Conflict before it has a key; Forbidden for a node of the bus but to operators.
    """
    member = await members.own(tx, who, node)
    if member.via == "bus":
        return await _on_the_bus(tx, who, member, at=at)
    await members.test(tx, who, node, at=at)
    await repository.overtake(tx, node)
    number = await repository.next_number(tx, node)
    beats = await nodes.heard(tx, node)
    epoch = max(beats.epoch if beats else 1, (await _holdings(tx, node, frozenset())).highest_epoch)
    plan = script(node, number, epoch, await catalogue.foreign(tx, node))
    run = Run(
        node=node, number=number, mode="exchange", state="running", started_at=at, started_by=who.subject,
        script=plan.model_dump(mode="json"), probes=tuple(ids.new() for _ in PROBES),
    )  # fmt: skip
    await repository.add(tx, run)
    rows = [outbox.row(envelope, pulled(node)) for envelope in domain.probes(run, node, at)]
    # A member that no contract has, as a later release may send one.
    rows[-1]["envelope"] = f'{str(rows[-1]["envelope"])[:-1]},"hubnetprobe":"unknown"}}'
    await outbox.owe(tx, rows)
    return run


async def complete(
    tx: AsyncSession, who: Principal, node: str, number: int, told: Told, *, at: datetime
) -> Run:
    """Judge a run by what the platform tells and what the hub holds of it. Raises: NotFound, Conflict."""
    await members.own(tx, who, node, lock=True)
    run = await repository.get(tx, node, number, lock=True)
    if run is None or run.script is None:
        raise absent("测试", "run")
    plan = Script.model_validate(run.script)
    holdings = await _holdings(tx, node, plan.ids)
    foreign = next((step.lines[0]["id"] for step in plan.steps if step.name == "foreign"), None)
    probes = await messages.positions(tx, node, run.probes)
    if len(probes) < len(run.probes):
        raise Conflict(
            "run-too-young",
            zh="测试消息尚未编号；请稍候重试",
            en="the probes are not numbered yet; repeat in a moment",
            retry_after_s=1,
        )
    beats = await nodes.heard(tx, node)
    seen = Observed(
        own_key="platform" in who.roles and who.home == node,
        beats=None if beats is None else Beats.model_validate(beats.model_dump()),
        held=holdings.held, foreign_untouched=None if foreign is None else foreign not in holdings.ids,
        highest_epoch=holdings.highest_epoch, probes=probes,
        confirmed_seq=await messages.confirmed(tx, node), digest=holdings.digest, records=holdings.records,
    )  # fmt: skip
    report = exchange.judge(node, plan, told, seen, at)
    ended = await _keep(tx, who, run, report, at=at)
    await members.tested(tx, who, node, passed=report.passed, at=at)
    return ended


async def _on_the_bus(tx: AsyncSession, who: Principal, member: Member, *, at: datetime) -> Run:
    """Judge a node of the bus at once."""
    node = member.id
    holdings = await _holdings(tx, node, frozenset())
    lag, owed = await nodes.behind(tx, node)
    beats = await nodes.heard(tx, node)
    seen = BusObserved(
        beats=None if beats is None else Beats.model_validate(beats.model_dump()),
        highest_epoch=holdings.highest_epoch, parked=await dead_letters.reasons(tx, node), forks=holdings.forks,
        lag=lag, owed=owed, drift=await drift.total(tx, node),
    )  # fmt: skip
    return await _at_once(tx, who, node, "bus", bus.judge(node, seen, at), at=at)


async def address(tx: AsyncSession, who: Principal, node: str) -> str:
    """Where a platform serves its catalogue, as it declared.

    Raises: Forbidden but to operators: the hub calls no address because a stranger says so.
    """
    if "operator" not in who.roles:
        raise Forbidden(
            "operator-needed",
            zh="由枢纽访问您的地址须运营人员发起；您可自行运行 hubnet conformance URL",
            en="only an operator lets the hub call your address; run `hubnet conformance URL` yourself",
        )
    member = await members.own(tx, who, node)
    if member.feed_url is None:
        raise Conflict(
            "no-feed",
            zh="该平台未登记 feed_url；请先登记：PATCH /v1/nodes/{id}/membership",
            en="the platform declared no feed_url; declare it first: PATCH /v1/nodes/{id}/membership",
        )
    return member.feed_url


async def served(node: str, url: str, *, at: datetime) -> Report:
    """Try what a platform serves. Raises: Conflict when nobody answers there."""
    base, feed = serving.split(url)
    try:
        return await serving.check(fetching.getter(base), node, at, feed=feed)
    except fetching.Unreachable as error:
        raise Conflict(
            "platform-unreachable",
            zh=f"无法访问 {base}；请检查地址与防火墙后重试",
            en=f"nobody answers at {base}; check address and firewall and repeat ({error})",
        ) from None


async def note(tx: AsyncSession, who: Principal, node: str, report: Report, *, at: datetime) -> Run:
    """Keep the report of a run that was made outside of a transaction."""
    await members.own(tx, who, node, lock=True)
    return await _at_once(tx, who, node, "serving", report, at=at)


async def runs(tx: AsyncSession, who: Principal, node: str) -> Sequence[Run]:
    await members.own(tx, who, node)
    return await repository.listed(tx, node)


async def get(tx: AsyncSession, who: Principal, node: str, number: int) -> Run:
    await members.own(tx, who, node)
    run = await repository.get(tx, node, number)
    if run is None:
        raise absent("测试", "run")
    return run


async def admit(
    tx: AsyncSession, who: Principal, node: str, match: Match | None, membership: Membership, *, at: datetime
) -> Member:
    """End a probation: its catalogue is found, and all that was held back goes to matchmaking.

    Raises: NotFound, Stale, Conflict. Emits: ProviderAnnounced, OfferingAnnounced, in the platform's name.
    """
    member = await members.activate(tx, who, node, match, at=at)
    await changes.announce(tx, membership, node, at=at)
    return member


async def admit_due(
    tx: AsyncSession, who: Principal, days: float | None, membership: Membership, *, at: datetime
) -> None:
    """Admit whose probation has lasted as long as the installation asks for."""
    for node in await members.due(tx, days, at=at):
        await admit(tx, who, node, None, membership, at=at)


async def _at_once(
    tx: AsyncSession, who: Principal, node: str, mode: Mode, report: Report, *, at: datetime
) -> Run:
    await members.get(tx, node, lock=True)
    number = await repository.next_number(tx, node)
    run = Run(node=node, number=number, mode=mode, state="running", started_at=at, started_by=who.subject)
    await repository.add(tx, run)
    return await _keep(tx, who, run, report, at=at)


async def _keep(tx: AsyncSession, who: Principal, run: Run, report: Report, *, at: datetime) -> Run:
    ended = domain.finished(run, report.model_dump(mode="json"), passed=report.passed, at=at)
    await repository.save(tx, ended)
    failed = [one.rule for one in report.failures]
    detail: dict[str, Any] = {"run": run.number, "passed": report.passed, "failed": failed}
    await audit.add(tx, who.subject, "conformance.judged", run.node, at=at, detail=detail)
    return ended


class _Holdings:
    """What the hub has of a platform, as the rules look at it."""

    def __init__(self) -> None:
        self.held: dict[str, Held] = {}
        self.ids: set[str] = set()
        self.records: list[Published] = []
        self.marks: list[Record] = []
        self.highest_epoch = 1
        self.forks = 0

    def take(self, noun: Noun, copy: Mapping[str, Any], wanted: frozenset[str]) -> None:
        id, body = str(copy["id"]), copy["body"]
        self.ids.add(id)
        self.highest_epoch = max(self.highest_epoch, copy["epoch"])
        self.forks += copy["forked"]
        if id in wanted:
            text = str(body.get("title") or body.get("name") or "")
            self.held[id] = Held.model_validate({**copy, "text": text})
        if not copy["deleted"]:
            self.marks.append(Record(noun, copy["id"], copy["epoch"], copy["version"], copy["content_hash"]))
            if len(self.records) < JUDGED:
                self.records.append(Published(noun, id, body))

    @property
    def digest(self) -> str:
        return Digest.of(self.marks).hex


async def _holdings(tx: AsyncSession, node: str, wanted: frozenset[str]) -> _Holdings:
    found = _Holdings()
    for noun in NOUNS:
        async for copy in catalogue.holdings(tx, noun, node):
            found.take(noun, copy, wanted)
    return found
