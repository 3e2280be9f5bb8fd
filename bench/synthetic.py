"""A region of any size that is made up: offerings with words and meanings as real ones have them.

Texts are clauses of the development corpus and of the examples, put together anew within a field of
service, some words exchanged for others by their frequency. Vectors lie around the real vectors of the
texts they are made of, as far away and in such directions as real texts lie apart.
"""

import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import matchmaking
import numpy as np
import rjieba
from common import ids
from common.contracts.demands import Demand
from common.settings import Settings
from matchmaking.embedders.service import configured, open_embedder
from matchmaking.embeddings.domain import anchors, calibrated
from matchmaking.matching import lexical, lexicon
from matchmaking.matching.fusion import Space
from matchmaking.matching.listing import meaning, wording
from matchmaking.matching.retrieval import Vector
from reference import divisions, examples

from tests import servers

DEVELOPMENT = Path(matchmaking.__file__).parent / "evaluation" / "development"
TODAY = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 2, tzinfo=UTC)
PLATFORMS = ("hohhot", "baotou", "chifeng", "ordos", "tongliao", "hulunbuir", "ulanqab", "bayannur")
# One provider to so many offerings.
OFFERINGS_EACH = 20
OFFICIAL = 160
VARIANTS = 24
EXCHANGED, RARE = 0.15, 0.04
# How much of a made-up vector is neither of the two texts it is made of.
APART = 0.5
BATCH = 10_000


@dataclass(frozen=True)
class Text:
    """A real text that others are made of."""

    title: str
    body: str
    category: str
    kind: str

    @property
    def clauses(self) -> list[str]:
        return [part for part in re.split(r"(?<=[。；！？\n])", self.body) if len(part) > 6] or [self.body]


@dataclass(frozen=True)
class Batch:
    """Some offerings: platform, body as JSON and provider of each, and their meanings."""

    said: list[tuple[str, str, tuple[str, UUID]]]
    vectors: Vector


@dataclass(frozen=True)
class Asked:
    """A need with the meaning a model read of it."""

    demand: Demand
    vector: Vector


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DEVELOPMENT / name).read_text(encoding="utf-8").splitlines()]


def texts() -> list[Text]:
    """The development corpus, the examples, and some official services of other places."""
    found = [
        Text(line["title"], line["text"], line["metadata"]["category"], line["metadata"]["kind"])
        for line in _lines("corpus.jsonl")
    ]
    offered = [offering for provider in examples.example_providers() for offering in provider["offerings"]]
    official = [service["offering"] for service in examples.government_services()]
    for offering in offered + official[:: max(1, len(official) // OFFICIAL)]:
        found.append(Text(offering["title"], offering["summary"], offering["category"], offering["kind"]))
    return found


class Region:
    """Offerings and needs by number: the same number is always the same."""

    def __init__(self, seed: int = 1) -> None:
        self._seed = seed
        self.texts = texts()
        self.categories = sorted({text.category for text in self.texts})
        counties = [place.code for place in divisions.everything() if place.level == "county"]
        self._counties = [code for code in counties if code.startswith("15")]

    @cached_property
    def _clauses(self) -> list[list[str]]:
        """Of each text, its clauses in many variants."""
        dice = Random(self._seed)
        common = [word for text in self.texts for word in rjieba.cut(text.body) if len(word) > 1]
        rare = sorted({word for group in lexicon.groups() for word in group.mean})

        def varied(word: str) -> str:
            if len(word) < 2 or (chance := dice.random()) > EXCHANGED + RARE:
                return word
            return dice.choice(common) if chance < EXCHANGED else dice.choice(rare)

        return [
            [
                "".join(map(varied, words))
                for words in (list(rjieba.cut(clause)) for clause in text.clauses)
                for _ in range(VARIANTS)
            ]
            for text in self.texts
        ]

    @cached_property
    def _by_category(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number, text in enumerate(self.texts):
            found.setdefault(text.category, []).append(number)
        return found

    def _pair(self, dice: Random) -> tuple[int, int]:
        first = dice.randrange(len(self.texts))
        kin = self._by_category[self.texts[first].category]
        return first, dice.choice(kin) if dice.random() < 0.8 else dice.randrange(len(self.texts))

    def offering(self, number: int) -> dict[str, Any]:
        """What a platform says of an offering."""
        dice = Random(self._seed << 32 | number)
        first, second = self._pair(dice)
        base, other = self.texts[first], self.texts[second]
        provider = number // OFFERINGS_EACH
        division = self._counties[provider % len(self._counties)]
        low = dice.randrange(5, 500) * 10_000
        own = f"{dice.choice('ABDGHKLQXYZ')}{dice.choice('BCFHJKM')}{dice.randrange(100, 9999)}型。"
        title = base.title if dice.random() < 0.5 else f"{base.title}与{other.title[:8]}"
        clauses = dice.choices(self._clauses[first], k=dice.randint(2, 4))
        clauses += dice.choices(self._clauses[second], k=dice.randint(1, 2))
        return {
            "id": str(ids.derived("offering", str(number))),
            "epoch": 0,
            "version": 1,
            "provider_id": str(ids.derived("provider", str(provider))),
            "provider_name": f"示例机构{provider}",
            "kind": base.kind,
            "title": f"{title}（{dice.randrange(1, 4000)}）",
            "summary": "".join(dict.fromkeys([*clauses, own])),
            "category": base.category,
            "division": division,
            "service_area": dice.choice(([], [], ["15"], [division[:4]], [division[:4], "1501"])),
            "price": {"from_cents": low, "to_cents": low * dice.randint(1, 4), "unit": "case"},
            "lead_days": dice.choice((None, 3, 7, 15, 30)),
            "size_classes": dice.choice(([], [], [], ["small", "micro"], ["medium"])),
            "attributes": {},
            "capacity": None,
            "state": "published",
        }

    def owner(self, number: int) -> str:
        return PLATFORMS[number // OFFERINGS_EACH % len(PLATFORMS)]

    def provider(self, number: int) -> tuple[str, UUID]:
        """Platform and id of the provider of an offering."""
        return self.owner(number), ids.derived("provider", str(number // OFFERINGS_EACH))

    def vectors(self, numbers: Sequence[int], real: Vector) -> Vector:
        """Meanings of offerings as a model would give them.

        Shape: `real` one row for each of `texts`; (numbers, dimensions).
        """
        centre = real.mean(axis=0)
        axes = (real - centre) / np.sqrt(len(real))
        pairs = [self._pair(Random(self._seed << 32 | number)) for number in numbers]
        chance = np.random.default_rng([self._seed, numbers[0]])
        share = chance.uniform(0.6, 0.95, (len(pairs), 1)).astype(np.float32)
        firsts, seconds = real[[first for first, _ in pairs]], real[[second for _, second in pairs]]
        between = share * firsts + (1 - share) * seconds - centre
        aside = chance.standard_normal((len(pairs), len(real)), np.float32) @ axes.astype(np.float32)
        made = centre + np.sqrt(1 - APART) * between + np.sqrt(APART) * aside
        return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)

    def batch(self, numbers: range, real: Vector) -> Batch:
        said = [(self.owner(n), json.dumps(self.offering(n)), self.provider(n)) for n in numbers]
        return Batch(said, self.vectors(numbers, real))

    def demands(self) -> Iterator[Demand]:
        """The development set's needs, each with and without its category named."""
        for number, line in enumerate(_lines("queries.jsonl")):
            dice = Random(self._seed << 32 | number)
            known = line["metadata"].get("category")
            for category in dict.fromkeys((None, known)):
                yield Demand.model_validate(
                    {
                        "id": ids.derived("demand", f"{number}/{category}"),
                        "version": 1,
                        "number": f"D-{number}",
                        "title": line["text"][:40],
                        "text": line["text"],
                        "category": category,
                        "industry": "C",
                        "division": dice.choice(self._counties),
                        "size_class": dice.choice(("small", "micro", "medium")),
                        "budget": {"to_cents": dice.choice((None, 1_000_000, 5_000_000))},
                        "state": "submitted",
                        "submitted_at": AT,
                        "changed_at": AT,
                    }
                )


@dataclass(frozen=True)
class Read:
    """What the model says: the space, the meanings of the region's texts, and the needs with theirs."""

    space: Space
    real: Vector
    needs: tuple[Asked, ...]


async def read(region: Region) -> Read:
    """Have the embedded model read all that is real."""
    settings = Settings(node="matchmaking", topology=servers.TOPOLOGY, database_url="postgresql://")
    source = configured(settings)
    if source is None:
        raise RuntimeError("the embedded model cannot run here")
    embedder = open_embedder(source, settings)
    try:
        real = await embedder.passages([f"{text.title}\n{text.body}" for text in region.texts])
        asked = [anchor for anchor in anchors() if anchor.side == "query"]
        told = [anchor for anchor in anchors() if anchor.side == "passage"]
        kept = {anchor.hash: await embedder.query(anchor.text) for anchor in asked}
        passages = await embedder.passages([anchor.text for anchor in told])
        kept |= {anchor.hash: row for anchor, row in zip(told, passages, strict=True)}
        space = calibrated(source.name, kept)
        assert space is not None
        needs = [Asked(demand, await embedder.query(_meaning(demand))) for demand in region.demands()]
        return Read(space, real, tuple(needs))
    finally:
        await embedder.close()


def _meaning(demand: Demand) -> str:
    return lexical.sought(wording(demand), lambda word: 1.0).meaning(meaning(demand))


def batches(region: Region, real: Vector, numbers: range) -> Iterator[Batch]:
    """Made in a process of their own, one ahead of what is taken."""
    parts = [
        range(start, min(start + BATCH, numbers.stop)) for start in range(numbers.start, numbers.stop, BATCH)
    ]
    with ProcessPoolExecutor(1, get_context("spawn"), _begin, (region, real)) as apart:
        waiting = [apart.submit(_batch, part) for part in parts[:2]]
        for at in range(len(parts)):
            yield waiting.pop(0).result()
            if at + 2 < len(parts):
                waiting.append(apart.submit(_batch, parts[at + 2]))


_region: list[tuple[Region, Vector]] = []


def _begin(region: Region, real: Vector) -> None:
    _region.append((region, real))


def _batch(numbers: range) -> Batch:
    region, real = _region[0]
    return region.batch(numbers, real)
