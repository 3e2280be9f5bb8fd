"""How much of a need a document says: BM25 with its statistics on the side of the need.

A document becomes its words with an impact each; a need becomes what it asks, with a weight each. The
relevance is the weighted share of the need that is said. Two texts and the weights fix it, whatever else
is in the catalogue, so that it can be computed again for a single offering, at another place and later.
"""

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matchmaking.matching import lexicon, words
from matchmaking.matching.retrieval import Document

FIELDS = ("title", "text", "category")
_FIELD_COUNTS = (2.0, 1.0, 0.8)
# BM25: the second mention counts half, and a document of more words than this says each with less weight.
_SATURATION, _LENGTH_SHARE, _ORDINARY_WORDS = 1.2, 0.4, 60
BODY_CHARACTERS = 4_000
# So many of the strongest asks make a full match: a need is told in more words than it has points.
FULL_MATCH = 8
# A pair of characters is a weak sign beside a word; several words that stand for one, when not all are said.
GRAM_FACTOR, PART_FACTOR = 0.3, 0.5
# How much less each further word counts that an expression stands for.
LATER = 0.85
GRAMS = 40
# So many professional words are added to a need before its meaning is read, so many for one expression.
SPOKEN, SPOKEN_EACH = 8, 3
# Before them; models read a few hundred characters, and what matters comes first.
MEANING_CHARACTERS = 320
_GRAM = "·"
ENTRY = np.dtype([("word", "<u4"), ("impact", "u1"), ("field", "u1")])
_IMPACT_STEPS = 200
# A count in a field is at most as many as the characters that are read of it.
_FIELD_BITS = words.READ_CHARACTERS.bit_length()
_FIELD_SHIFTS = np.array([[0], [_FIELD_BITS], [2 * _FIELD_BITS]])
# Above the counts: what is counted is a pair of characters and no word.
_PAIR = 1 << 3 * _FIELD_BITS


@lru_cache(maxsize=2**16)
def hashed(word: str) -> int:
    return zlib.crc32(word.encode())


def _counts(document: Document) -> dict[str, int]:
    """Each word's counts in the three fields in one number; a pair of characters is marked in it."""
    said, pairs = words.read(document.body[:BODY_CHARACTERS])
    found = {word: count << _FIELD_BITS for word, count in Counter(said).items()}
    for pair, count in Counter(pairs).items():
        found[_GRAM + pair] = (count << _FIELD_BITS) | _PAIR
    said, pairs = words.read(document.title)
    for word in said:
        found[word] = found.get(word, 0) + 1
    for pair in pairs:
        gram = _GRAM + pair
        found[gram] = found.get(gram, _PAIR) + 1
    for word in () if document.category is None else words.of_category(document.category):
        found[word] = found.get(word, 0) + (1 << 2 * _FIELD_BITS)
    return found


@dataclass(frozen=True, slots=True)
class Read:
    """A document read: its words as packed entries, and as they are to be indexed."""

    packed: bytes
    said: str


def read(document: Document) -> Read:
    (one,) = read_all([document])
    return one


def read_all(documents: Sequence[Document]) -> list[Read]:
    """Documents read in one pass over all their words: each would cost as much in calls as in work."""
    each = [_counts(document) for document in documents]
    sizes = np.array([len(found) for found in each], int)
    marks = np.fromiter(chain.from_iterable(found.values() for found in each), np.int64, sizes.sum())
    forms = list(chain.from_iterable(each))
    owner = np.repeat(np.arange(len(each)), sizes)
    counts = (marks >> _FIELD_SHIFTS) & ((1 << _FIELD_BITS) - 1)
    lengths = np.bincount(owner, (counts[0] + counts[1]) * (marks < _PAIR), len(each))
    norm = 1 - _LENGTH_SHARE + _LENGTH_SHARE * lengths / _ORDINARY_WORDS
    once = _FIELD_COUNTS[0] / (_FIELD_COUNTS[0] + _SATURATION)
    shares = counts * np.array(_FIELD_COUNTS)[:, None]
    said = shares[0] + shares[1] + shares[2]
    packed = np.empty(len(forms), ENTRY)
    # As `hashed` does, in one go: most of these words are never asked for, and need not be remembered.
    packed["word"] = np.fromiter(map(zlib.crc32, map(str.encode, forms)), np.uint32, len(forms))
    packed["impact"] = np.minimum(
        255, np.rint(said / (said + _SATURATION * norm[owner]) / once * _IMPACT_STEPS)
    )
    packed["field"] = shares.argmax(axis=0)
    times = np.rint(said).astype(int)
    for place in np.flatnonzero(times > 1).tolist():
        forms[place] = " ".join([forms[place]] * int(times[place]))
    written, ends = packed.tobytes(), np.cumsum(sizes).tolist()
    return [
        Read(written[start * ENTRY.itemsize : end * ENTRY.itemsize], " ".join(forms[start:end]))
        for start, end in pairwise([0, *ends])
    ]


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing a need asks for: a word, a pair of characters, or what an expression stands for.

    Shape: each alternative is words that together say it, and how well; the best one counts.
    """

    said: str
    weight: float
    alternatives: tuple[tuple[tuple[str, ...], float], ...]
    shown: bool = True

    @property
    def plain(self) -> bool:
        """Whether it is one word and that word alone."""
        (together, factor), *more = self.alternatives
        return not more and len(together) == 1 and factor == 1.0


@dataclass(frozen=True)
class Sought:
    """What a need asks for, with weights.

    Shape: `categories` are those its expressions point to, with votes; `spoken` are professional words
    for what was said: read together with the need, they make its meaning clearer; `telling` is what
    each word counted.
    """

    asks: tuple[Ask, ...]
    categories: Mapping[str, float]
    spoken: tuple[str, ...]
    telling: Mapping[str, float]

    def meaning(self, text: str) -> str:
        """What is to be read of the need for its meaning."""
        return " ".join((text[:MEANING_CHARACTERS], *self.spoken))

    @cached_property
    def full(self) -> float:
        """The weight at which nothing is missing."""
        return sum(sorted((ask.weight for ask in self.asks), reverse=True)[:FULL_MATCH])

    @cached_property
    def shown(self) -> list[tuple[Ask, list[tuple[tuple[str, ...], frozenset[int]]]]]:
        """The asks that evidence speaks of: each alternative's words, and their hashes."""
        return [
            (ask, [(together, frozenset(map(hashed, together))) for together, _ in ask.alternatives])
            for ask in self.asks
            if ask.shown
        ]

    @cached_property
    def shown_words(self) -> frozenset[int]:
        """The hashes of all of them."""
        return frozenset().union(*(hashes for _, alternatives in self.shown for _, hashes in alternatives))

    @cached_property
    def terms(self) -> dict[str, float]:
        """What to look for in an inverted index: every word of every alternative."""
        found: dict[str, float] = {}
        for ask in self.asks:
            for together, factor in ask.alternatives:
                for word in together:
                    found[word] = max(found.get(word, 0.0), ask.weight * factor / len(together))
        return found


def sought(text: str, telling: Callable[[str], float]) -> Sought:
    """Read a need. `telling` says how telling a word is: its inverse frequency, mostly."""
    counted: dict[str, float] = {}

    def tell(word: str) -> float:
        if word not in counted:
            counted[word] = telling(word)
        return counted[word]

    met = lexicon.met(text)
    said = words.sought(text)
    asks = [Ask(word, emphasis * tell(word), (((word,), 1.0),)) for word, emphasis in said.items()]
    asks += [ask for expression in met if (ask := _expressed(expression, tell)) is not None]
    grams = list(dict.fromkeys(words.grams(text)))[:GRAMS]
    asks += [
        Ask(gram, GRAM_FACTOR * tell(_GRAM + gram), (((_GRAM + gram,), 1.0),), shown=False)
        for gram in grams
        if gram not in said
    ]
    votes: dict[str, float] = {}
    for expression in met:
        if expression.group.category is not None:
            category = expression.group.category
            votes[category] = votes.get(category, 0.0) + expression.certainty
    # What only names a trade (羊绒) would draw the meaning away from what is asked of it.
    named = [expression.group for expression in met if expression.group.category is not None]
    meant = dict.fromkeys(word for group in named for word in group.mean[:SPOKEN_EACH])
    return Sought(tuple(asks), votes, tuple(meant)[:SPOKEN], counted)


def _expressed(expression: lexicon.Expression, telling: Callable[[str], float]) -> Ask | None:
    alternatives: list[tuple[tuple[str, ...], float]] = []
    weight = 0.0
    for place, mean in enumerate(expression.group.mean):
        together = tuple(dict.fromkeys(words.of(mean)))
        if together:
            alternatives.append((together, LATER**place))
            weight = max(weight, (1.0 if place == 0 else 0.8) * max(map(telling, together)))
    if not alternatives:
        return None
    return Ask(expression.said, weight * expression.certainty, tuple(alternatives))


def relevance(need: Sought, documents: Sequence[bytes]) -> NDArray[np.float64]:
    """The share of the need each document says, 0.0–1.0."""
    if not need.asks or not documents:
        return np.zeros(len(documents))
    weights = np.array([ask.weight for ask in need.asks])
    return np.minimum(1.0, answers(need, documents) @ weights / need.full)


def answers(need: Sought, documents: Sequence[bytes]) -> NDArray[np.float64]:
    """How well each document answers each ask.

    Shape: (documents, asks).
    """
    column = {word: place for place, word in enumerate(need.terms)}
    said = _said(list(column), documents)
    answered = np.zeros((len(documents), len(need.asks)))
    plain = [number for number, ask in enumerate(need.asks) if ask.plain]
    answered[:, plain] = said[:, [column[need.asks[number].alternatives[0][0][0]] for number in plain]]
    for number, ask in enumerate(need.asks):
        for together, factor in () if ask.plain else ask.alternatives:
            parts = said[:, [column[word] for word in together]]
            whole = np.where(parts.all(axis=1), factor, factor * PART_FACTOR)
            np.maximum(answered[:, number], parts.mean(axis=1) * whole, out=answered[:, number])
    return answered


def _said(terms: Sequence[str], documents: Sequence[bytes]) -> NDArray[np.float64]:
    """Shape: (documents, terms)."""
    hashes = {hashed(word): place for place, word in enumerate(terms)}
    known = np.array(sorted(hashes), np.uint32)
    places = np.array([hashes[hash_] for hash_ in known.tolist()])
    packed = b"".join(documents)
    entries = np.frombuffer(packed, ENTRY)
    # Most entries are of other words, which the lower half of their hash tells mostly.
    lower = np.zeros(1 << 16, bool)
    lower[known & 0xFFFF] = True
    chosen = np.flatnonzero(lower[np.frombuffer(packed, "<u2")[:: ENTRY.itemsize // 2]])
    word, impact = entries["word"][chosen], entries["impact"][chosen]
    at = np.minimum(np.searchsorted(known, word), len(known) - 1)
    held = known[at] == word
    ends = np.cumsum([len(one) // ENTRY.itemsize for one in documents])
    owner = np.searchsorted(ends, chosen[held], side="right")
    said = np.zeros((len(documents), len(terms)))
    said[owner, places[at[held]]] = impact[held] / _IMPACT_STEPS
    return said


class Answer(NamedTuple):
    """What an owner said, the field of the offering that answers it best, and the words it answers by."""

    said: str
    field: str
    by: str


def evidence(need: Sought, document: bytes) -> list[Answer]:
    """What of the need a document answers, weightiest first.

    Parts of longer words that are answered too are left out.
    """
    entries = np.frombuffer(document, ENTRY)
    fields = dict(zip(entries["word"].tolist(), entries["field"].tolist(), strict=True))
    said = need.shown_words & fields.keys()
    told: list[tuple[float, Answer]] = []
    for ask, alternatives in need.shown:
        held = [together for together, hashes in alternatives if hashes <= said]
        if held:
            best = min(fields[hashed(word)] for word in held[0])
            told.append((-ask.weight, Answer(ask.said, FIELDS[best], _joined(held[0]))))
    told.sort()
    literally = {answer.said for _, answer in told if answer.by == answer.said and answer.field != "category"}
    answered: dict[str, Answer] = {}
    for _, answer in told:
        # What it says itself is shown rather than what stands for it: 化验, not 找人…化验.
        if answer.by == answer.said or not any(word in answer.said for word in literally):
            answered.setdefault(answer.said, answer)
    return [answered[said] for said in _wholes(answered)]


def _joined(together: Sequence[str]) -> str:
    """Words as they were said: a search cuts 流动资金 into 流动, 资金 and the whole."""
    return "、".join(_wholes(together))


def _wholes(said: Iterable[str]) -> list[str]:
    """Those that are no part of another."""
    every = list(said)
    return [word for word in every if not any(word != other and word in other for other in every)]
