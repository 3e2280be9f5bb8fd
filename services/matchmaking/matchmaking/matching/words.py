"""Text to the words it is found by: Chinese by dictionary, all else by letters and digits."""

import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from types import MappingProxyType

import rjieba
from reference import categories, divisions

from matchmaking.matching.weights import data

# Where the engine stops reading, so that one offering or demand cannot outweigh a thousand others.
READ_CHARACTERS = 20_000
MAX_WORD = 40
STRONGEST = 24
# The size of the corpus behind the dictionary's frequencies.
CORPUS = 60_101_967
# A description has about a hundred words: how likely one holds a word of that frequency.
DESCRIPTION_WORDS = 100
UNKNOWN_SHARE = 0.0005

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# Mongolian variation selectors and vowel separator belong to the word they stand in.
_RUN = re.compile(rf"[{_HAN}]+|(?:[^\W_{_HAN}][\u180b-\u180f\u0300-\u036f]*)+")
_CHINESE = re.compile(f"[{_HAN}]")
# No word goes across a line.
_APART = "\n"
_PARTS = re.compile(r"\d+|[^\W\d_]+")


def _runs(text: str) -> list[str]:
    """What of a text is words: runs of Chinese characters, and of letters and digits."""
    return _RUN.findall(unicodedata.normalize("NFKC", text)[:READ_CHARACTERS])


def _cut(runs: Iterable[str]) -> Iterator[str]:
    for run in runs:
        if _CHINESE.match(run):
            yield from _chinese(run)
        else:
            yield from _spelt(run)


def _chinese(text: str) -> list[str]:
    return [word[:MAX_WORD] for word in rjieba.cut_for_search(text) if len(word) > 1]


def _spelt(run: str) -> Iterator[str]:
    word = run.casefold()[:MAX_WORD]
    if word.isdigit():
        if len(word) >= 4:
            yield word
        return
    if len(word) > 1:
        yield word
    if any(c.isdigit() for c in word):
        yield from (part for part in _PARTS.findall(word) if len(part) > 1 and part != word)


@cache
def _document() -> dict[str, list]:
    return json.loads(data("words.json"))


def version() -> str:
    return str(_document()["version"])


def grams(text: str) -> list[str]:
    """Pairs of neighbouring Chinese characters: what is left of a word where the dictionary cuts elsewhere."""
    return _pairs(run for run in _runs(text) if _CHINESE.match(run))


def _pairs(runs: Iterable[str]) -> list[str]:
    return [run[at : at + 2] for run in runs for at in range(len(run) - 1)]


@cache
def _stop() -> frozenset[str]:
    """Words that say nothing about the need. Places are among them: nearness is weighed by code."""
    names: set[str] = set()
    for place in divisions.everything():
        short = place.zh[:-1]
        names |= (
            {place.zh, short}
            if place.level == "county"
            else {*_cut(_runs(place.zh)), short, *_cut(_runs(short))}
        )
    return frozenset(_document()["stop"]) | {name for name in names if len(name) > 1}


def of(text: str) -> list[str]:
    """The words of a text that can be searched for, in order."""
    stop = _stop()
    return [word for word in _cut(_runs(text)) if word not in stop]


def read(text: str) -> tuple[list[str], list[str]]:
    """`of` and `grams` of a text, in any order: all its Chinese is cut at once."""
    runs, stop = _runs(text), _stop()
    chinese = [run for run in runs if _CHINESE.match(run)]
    spelt = [word for run in runs if not _CHINESE.match(run) for word in _spelt(run)]
    said = [*_chinese(_APART.join(chinese)), *spelt]
    return [word for word in said if word not in stop], _pairs(chinese)


@cache
def of_category(id: str) -> tuple[str, ...]:
    """The everyday words by which people ask for a category; none for one we do not know."""
    try:
        category = categories.get(id)
    except categories.UnknownCategory:
        return ()
    names = of(f"{category.zh} {category.en}")
    return tuple(dict.fromkeys([*names, *(word for key in category.keywords for word in of(key))]))


@cache
def share(word: str) -> float:
    """How large a share of all Chinese descriptions holds the word, roughly."""
    if not rjieba.has_word(word):
        return UNKNOWN_SHARE
    return min(0.5, rjieba.suggest_freq(word) * DESCRIPTION_WORDS / CORPUS)


@lru_cache(maxsize=8)
def sought(text: str) -> Mapping[str, float]:
    """The words a need is searched by, with their emphasis: the strongest few, however long it is.

    Remembered for a moment: each candidate's evidence asks again.
    """
    counts = Counter(of(text))
    emphasis = {word: 1.0 + math.log(count) for word, count in counts.items()}
    strongest = sorted(emphasis, key=lambda word: (emphasis[word] * math.log(share(word)), word))
    return MappingProxyType({word: emphasis[word] for word in strongest[:STRONGEST]})


def preload() -> None:
    """Read dictionary and word lists now, so that forked processes share them."""
    _stop()
    for category in categories.all():
        of_category(category.id)
    sought("预先载入")
