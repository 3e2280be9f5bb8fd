"""What owners of small firms say, and the words in which it is offered to them (data/lexicon.json)."""

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from matchmaking.matching.weights import data

GAP = "…"
GAP_CHARACTERS = 8
READ_CHARACTERS = 5_000
_PREFIX = 2


@dataclass(frozen=True, slots=True)
class Group:
    """Expressions for one thing. `mean` are the words of offerings, most specific first."""

    say: tuple[str, ...]
    mean: tuple[str, ...]
    category: str | None


@dataclass(frozen=True, slots=True)
class Expression:
    """A group that was met in a text, by the longest of its expressions there."""

    said: str
    group: Group

    @property
    def certainty(self) -> float:
        """The longer an expression, the less it is chance. 0..1."""
        return min(1.0, (len(self.said) - self.said.count(GAP)) / 3 + 0.2)


@cache
def _document() -> tuple[str, tuple[Group, ...]]:
    document = json.loads(data("lexicon.json"))
    groups = tuple(
        Group(tuple(map(_plain, group["say"])), tuple(group["mean"]), group["category"])
        for group in document["groups"]
    )
    return str(document["version"]), groups


def version() -> str:
    return _document()[0]


def groups() -> tuple[Group, ...]:
    return _document()[1]


@cache
def _by_prefix() -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {}
    for number, group in enumerate(groups()):
        for said in group.say:
            head = said.partition(GAP)[0]
            found.setdefault(head[:_PREFIX], []).append((said, number))
    return found


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().replace("...", GAP)


def _met(text: str) -> Iterator[tuple[str, int]]:
    prefixes = _by_prefix()
    for at in range(len(text)):
        for width in range(1, _PREFIX + 1):
            for said, number in prefixes.get(text[at : at + width], ()):
                if _stands(said, text, at):
                    yield said, number


def _stands(said: str, text: str, at: int) -> bool:
    """Whether an expression begins at a place, with its gaps; Latin ones as whole words only."""
    first, *rest = said.split(GAP)
    end = at + len(first)
    if not text.startswith(first, at) or _latin(text[at - 1 : at] + first[0]):
        return False
    for part in rest:
        found = text.find(part, end, end + GAP_CHARACTERS + len(part))
        if found < 0:
            return False
        end = found + len(part)
    return not _latin(said[-1] + text[end : end + 1])


def _latin(pair: str) -> bool:
    return len(pair) == 2 and all(character.isascii() and character.isalnum() for character in pair)


def met(text: str) -> tuple[Expression, ...]:
    """The groups a text speaks of, each once, longest expressions first."""
    longest: dict[int, str] = {}
    for said, number in _met(_plain(text[:READ_CHARACTERS])):
        if len(said) > len(longest.get(number, "")):
            longest[number] = said
    every = groups()
    ordered = sorted(longest.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(Expression(said, every[number]) for number, said in ordered)
