"""Clients of the platforms, each doing one act after the other through the real doors, drawn from a seed."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import httpx
from common import ids
from localnet.accounts import Account, open_accounts
from localnet.api import OPERATOR, Api
from reference import credit_code

from tests.faults.book import Act, Book
from tests.faults.network import Running

AGENCY, SME = "ex-faults-agency", "ex-faults-sme"
TRIES, PAUSE_S, TIMEOUT_S = 6, 0.15, 4.0
AGAIN = (409, 503)  # with Retry-After
# A person thinks; without this the harness would only measure the processor.
LEAST_THINKING_S, MOST_THINKING_S = 0.02, 0.12
CATEGORY = "technology_quality.testing"
WORDS = ("乳制品", "稀土", "羊绒", "煤化工", "铝基材料", "玉米", "马铃薯", "肉羊", "葵花籽", "合金")
ACTS = {
    "submit": 26, "edit": 8, "withdraw": 5, "offer": 10, "change": 18, "pause": 4, "resume": 4, "retire": 8,
    "import": 15,
}  # fmt: skip
OF_DEMANDS = ("submit", "edit", "withdraw")


@dataclass
class Home:
    """What is there before the run: a provider and, at a window, an enterprise. Contacts are canaries."""

    node: str
    division: str
    provider: UUID
    imported_code: str
    enterprise: UUID | None
    canaries: tuple[str, ...]


@dataclass
class People:
    """Who acts, with tokens that outlast the run."""

    api: Api
    tokens: dict[str, str] = field(default_factory=dict)
    homes: dict[str, Home] = field(default_factory=dict)


def code(seed: int, number: int) -> str:
    """A credit code that is right, for an organisation that is not."""
    return credit_code.complete(f"91150{seed % 1000:03d}MA0F{number:05d}"[:17])


def canary(seed: int, last: str) -> str:
    """A telephone number that nothing else looks like."""
    return f"137{seed % 10_000:04d}{last}"


async def people(running: Running, book: Book, seed: int) -> People:
    """Register everybody through the doors; what is made is in the book like anything else."""
    api = Api(running.endpoints)
    found = People(api)
    await open_accounts(
        api,
        [
            Account(AGENCY, "agency", running.windows[0], "示例机构", "example agency"),
            Account(SME, "sme", running.windows[0], "示例企业", "example enterprise"),
        ],
    )
    for name in (AGENCY, SME, OPERATOR):
        found.tokens[name] = await api.token(name)
    homes = [_settle(found, running, book, seed, number) for number in range(len(running.platforms))]
    for home in await asyncio.gather(*homes):
        found.homes[home.node] = home
    return found


async def _settle(found: People, running: Running, book: Book, seed: int, number: int) -> Home:
    api, node = found.api, running.platforms[number]
    place = running.network.topology.node(node)
    division = f"{place.divisions[0]}00"[:6]
    canaries = tuple(canary(seed, f"{number:02d}{side:02d}") for side in (1, 2))
    act = book.open(node, "provider", "register")
    body = {
        "name": f"示例检测机构 {act.mark}", "credit_code": code(seed, number * 10), "division": division,
        "categories": [CATEGORY], "contact_name": "示例联系人", "contact_phone": canaries[0],
        "contact_email": "contact@example.com",
    }  # fmt: skip
    made = await api.post(node, "/v1/providers", body, who=AGENCY)
    verified = await api.post(
        node, f"/v1/providers/{made['id']}/verification", {"decision": "approve"}, who=OPERATOR
    )
    act.entity, act.version, act.ending = UUID(made["id"]), verified["version"], "ok"
    enterprise = None
    if place.kind == "window":
        body = {
            "name": f"示例企业 {act.mark}", "credit_code": code(seed, number * 10 + 1), "division": division,
            "industry": "1441", "employees": 46, "revenue_cents": 1_850_000_000, "contact_name": "示例联系人",
            "contact_phone": canaries[1],
        }  # fmt: skip
        enterprise = UUID((await api.post(node, "/v1/enterprises", body, who=SME))["id"])
    return Home(node, division, UUID(made["id"]), code(seed, number * 10 + 2), enterprise, canaries)


def unknown(said: httpx.Response | None) -> bool:
    """Whether nobody can say what came of an act: no answer, or one that asks to come again."""
    return (
        said is None or said.status_code >= 500 or (said.status_code == 409 and "Retry-After" in said.headers)
    )


@dataclass
class Held:
    """A record of this client, and the tag its next edit is based on; None when that must be read first."""

    id: UUID
    tag: str | None
    state: str


class Client:
    """One user agent. What it does depends on its seed and on the answers alone, never on the time."""

    def __init__(self, running: Running, people: People, book: Book, node: str, seed: str, pace: float = 1.0):
        self.node, self.book, self.pace = node, book, pace
        self.home = people.homes[node]
        self.random = Random(seed)
        self._url = running.endpoints.urls[node]
        self._tokens = people.tokens
        self._http = httpx.AsyncClient(trust_env=False, verify=False, timeout=TIMEOUT_S)
        self.offerings: list[Held] = []
        self.demands: list[Held] = []
        self.refs = 0

    async def close(self) -> None:
        await self._http.aclose()

    async def run(self, going: Callable[[], bool]) -> None:
        weights = {
            verb: weight for verb, weight in ACTS.items() if self.home.enterprise or verb not in OF_DEMANDS
        }
        verbs, shares = list(weights), list(weights.values())
        while going():
            (verb,) = self.random.choices(verbs, shares)
            await self.do(verb)
            await asyncio.sleep(self.pace * self.random.uniform(LEAST_THINKING_S, MOST_THINKING_S))

    async def do(self, verb: str) -> None:
        doing: dict[str, Callable[[], Awaitable[Any]]] = {
            "submit": self.submit,
            "edit": lambda: self.on_demand("change"),
            "withdraw": lambda: self.on_demand("withdraw"),
            "offer": self.offer,
            "import": self.bring,
            "change": lambda: self.on_offering("change"),
            "pause": lambda: self.on_offering("pause"),
            "resume": lambda: self.on_offering("resume"),
            "retire": lambda: self.on_offering("retire"),
        }
        await doing[verb]()

    async def submit(self) -> Act:
        act = self.book.open(self.node, "demand", "submit")
        word = self.random.choice(WORDS)
        body = {
            "enterprise_id": str(self.home.enterprise), "title": f"{word}检测 {act.mark}",
            "text": f"需要对{word}做检验检测并出具报告。", "category": CATEGORY,
        }  # fmt: skip
        said = await self.call(act, "POST", "/v1/demands", SME, body)
        if said is not None:
            self.demands.append(Held(act.entity, said.headers["ETag"], "submitted"))  # type: ignore[arg-type]
        return act

    async def offer(self) -> Act:
        """Submitted by its agency, published by the platform's staff."""
        act = self.book.open(self.node, "offering", "submit")
        body = {"provider_id": str(self.home.provider), **self.described(act)}
        said = await self.call(act, "POST", "/v1/offerings", AGENCY, body)
        if said is None:
            return act
        held = Held(act.entity, said.headers["ETag"], "in_review")  # type: ignore[arg-type]
        self.offerings.append(held)
        review = self.book.open(self.node, "offering", "review")
        review.entity = held.id
        path = f"/v1/offerings/{held.id}/review"
        said = await self.call(review, "POST", path, OPERATOR, {"decision": "publish"})
        held.tag, held.state = (said.headers["ETag"], "published") if said else (None, "in_review")
        return act

    def described(self, act: Act) -> dict[str, Any]:
        word = self.random.choice(WORDS)
        return {
            "kind": "service", "title": f"{word}检验检测 {act.mark}", "summary": f"{word}的成分与性能检测。",
            "category": CATEGORY, "division": self.home.division, "lead_days": self.random.randint(1, 30),
        }  # fmt: skip

    async def bring(self) -> list[Act]:
        """Some lines of an import: new ones, and perhaps one that is known and told anew."""
        refs = self.fresh(self.random.randint(1, 4))
        if (known := self.refs - len(refs)) and self.random.random() < 0.5:
            refs[0] = f"ref-{self.random.randrange(known)}"
        return await self.load(refs)

    def fresh(self, count: int) -> list[str]:
        self.refs += count
        return [f"ref-{number}" for number in range(self.refs - count, self.refs)]

    async def load(self, refs: Sequence[str]) -> list[Act]:
        """An import of one line each."""
        provider = {
            "name": "示例导入机构",
            "credit_code": self.home.imported_code,
            "division": self.home.division,
        }
        acts, lines = [], []
        for ref in refs:
            act = self.book.open(self.node, "offering", "import")
            act.entity = ids.derived("offering", self.node, self.home.imported_code, ref)
            acts.append(act)
            lines.append({"provider": provider, "offering": {"external_ref": ref, **self.described(act)}})
        content = b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)
        said = await self.send(
            acts[0].mark, "POST", "/v1/offerings/import", OPERATOR, content=content,
            headers={"Content-Type": "application/x-ndjson"},
        )  # fmt: skip
        for act in acts:
            act.note(said)
        if said is not None and said.is_success:
            for act, line in zip(acts, said.json()["lines"], strict=True):
                act.said = f"{line['outcome']} {line['rule'] or ''}"
                act.ending = "fail" if line["outcome"] == "rejected" else "ok"
        elif not unknown(said):
            for act in acts:
                act.ending = "fail"
        return acts

    async def on_demand(self, verb: str) -> Act | None:
        return await self._on(self.demands, "demand", verb, SME)

    async def on_offering(self, verb: str) -> Act | None:
        return await self._on(self.offerings, "offering", verb, AGENCY)

    async def _on(self, several: list[Held], noun: Any, verb: str, who: str) -> Act | None:
        if not several:
            return None
        held = several[self.random.randrange(len(several))]
        return await self.edit(held, noun, verb, who)

    async def edit(self, held: Held, noun: Any, verb: str, who: str) -> Act | None:
        """An act on a record. Its state is read first, as a screen does; unread, nothing is done."""
        path = f"/v1/{noun}s/{held.id}"
        seen = await self.send("", "GET", path, who)
        if seen is None or not seen.is_success:
            return None
        act = self.book.open(self.node, noun, verb)
        act.entity = held.id
        if verb == "change":
            tag = {"If-Match": seen.headers["ETag"]}
            await self.call(
                act, "PATCH", path, who, {"title": f"{self.random.choice(WORDS)} {act.mark}"}, tag
            )
        else:
            nouns = {
                "pause": "pause",
                "resume": "resumption",
                "retire": "retirement",
                "withdraw": "withdrawal",
            }
            body = None if verb == "resume" else {"reason": act.mark}
            await self.call(act, "POST", f"{path}/{nouns[verb]}", who, body)
        return act

    async def call(
        self, act: Act, method: str, path: str, who: str, body: Any, headers: dict[str, str] | None = None
    ) -> httpx.Response | None:
        """Do an act and note how it ended. The answer if it was done."""
        said = await self.send(act.mark, method, path, who, json=body, headers=headers)
        act.note(said)
        if unknown(said):
            return None
        if not said.is_success:
            act.ending = "fail"
            return None
        shown = said.json()
        act.ending, act.version = "ok", shown.get("version")
        act.entity = act.entity or UUID(shown["id"])
        return said

    async def send(self, key: str, method: str, path: str, who: str, **request: Any) -> httpx.Response | None:
        """Send until somebody answers, with the same key; the last answer there was.

        An edit has no key but a version it is based on: sent twice it could be refused by its own first
        success, so it is sent once.
        """
        headers = {"Authorization": f"Bearer {self._tokens[who]}", **(request.pop("headers", None) or {})}
        if key and method == "POST":
            headers["Idempotency-Key"] = key
        said: httpx.Response | None = None
        for _ in range(1 if method == "PATCH" else TRIES):
            try:
                said = await self._http.request(method, self._url + path, headers=headers, **request)
            except httpx.TransportError:
                said = None
            else:
                if said.status_code not in AGAIN or "Retry-After" not in said.headers:
                    return said
            await asyncio.sleep(PAUSE_S)
        return said
