"""Words and meanings together: both propose, and both judge every proposal."""

from collections.abc import Collection, Iterable, Mapping

import numpy as np

from matchmaking.matching import fusion, lexical
from matchmaking.matching.fusion import Numbers, Space
from matchmaking.matching.inverted import Inverted
from matchmaking.matching.lexical import Answer, Sought
from matchmaking.matching.meanings import Meanings
from matchmaking.matching.retrieval import EVERYWHERE, Document, Hit, Hits, Need, Scope, Vector


class Held:
    """A document here. `row` is its number, and stays it; `profile` is of the vector that was last learnt."""

    __slots__ = ("category", "key", "packed", "profile", "row")

    def __init__(self, key: str, row: int) -> None:
        self.key, self.row = key, row
        self.packed = self.profile = b""
        self.category: str | None = None


class Index:
    """Documents by key. What was put or removed is seen by the next search.

    Shape: a document without a vector is found and judged by its words alone. Relevance is 0.0–1.0 and
    means the same for every need and every size of catalogue.
    """

    def __init__(self) -> None:
        self._inverted = Inverted()
        self._space: Space | None = None
        self._meanings: Meanings | None = None
        self._held: dict[str, Held] = {}
        self._rows: dict[int, Held] = {}
        self._next = 0

    @property
    def count(self) -> int:
        return len(self._held)

    @property
    def read(self) -> int:
        """How many documents have a vector."""
        return 0 if self._meanings is None else len(self._meanings)

    @property
    def space(self) -> Space | None:
        return self._space

    def __contains__(self, key: str) -> bool:
        return key in self._held

    def use(self, space: Space | None) -> None:
        """Read meanings in this space from now on; those of another are forgotten."""
        self._space = space
        self._meanings = None if space is None else Meanings(space.dimensions)

    def put(self, key: str, document: Document) -> None:
        """`put_all` of one."""
        self.put_all({key: document})

    def put_all(self, documents: Mapping[str, Document]) -> None:
        """Documents by key, anew where they are here. Its vector goes with what one said before."""
        reads = lexical.read_all([*documents.values()])
        for (key, document), read in zip(documents.items(), reads, strict=True):
            held = self._held.get(key)
            row = self._next if held is None else held.row
            self._inverted.put(row, read.said, document.category, known=held is not None)
            if held is None:
                held = self._held[key] = self._rows[row] = Held(key, row)
                self._next += 1
            elif self._meanings is not None:
                self._meanings.remove(row)
            held.packed, held.category = read.packed, document.category

    def learn(self, vectors: Mapping[str, Vector]) -> None:
        """Meanings of documents, as the model gave them; those of documents not here are passed over."""
        known = [key for key in vectors if key in self._held]
        space, meanings = self._space, self._meanings
        if space is None or meanings is None or not known:
            return
        here = [self._held[key] for key in known]
        kept = meanings.put(
            [one.row for one in here], space.passages(np.array([vectors[key] for key in known]))
        )
        profiles = fusion.placed(fusion.profiles(kept, space), [one.category for one in here], space)
        for one, profile in zip(here, profiles, strict=True):
            one.profile = profile.tobytes()

    def remove(self, key: str) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            del self._rows[held.row]
            self._inverted.remove(held.row)
            if self._meanings is not None:
                self._meanings.remove(held.row)

    def commit(self) -> None:
        """Make what was put or removed visible now; a search does it by itself."""
        self._inverted.commit()

    def sought(self, text: str) -> Sought:
        """What a need asks for, weighed by how telling each word is here and now."""
        self._inverted.commit(wait=False)
        return lexical.sought(text, self._inverted.telling)

    def sought_as(self, text: str, telling: Mapping[str, float]) -> Sought:
        """What a need asks for, weighed as it was on another day."""
        return lexical.sought(text, lambda word: telling.get(word, 0.0))

    def search(self, need: Need, limit: int, *scopes: Scope) -> Hits:
        """The most relevant documents of all scopes, best first; equal ones by key. No scope: everywhere.

        Shape: in each scope words and meanings propose `limit`, so that up to twice as many are judged.
        """
        self._inverted.commit(wait=False)
        near = self._near(need.vector, limit)
        found: set[int] = set()
        for scope in scopes or (EVERYWHERE,):
            found.update(self._inverted.propose(need.sought.terms, limit, scope.categories))
            found.update(near if scope.categories is None else self._of(scope.categories, near))
        # A row may have gone since the inverted index was brought up to date.
        return self._judge(need, [held for row in found if (held := self._rows.get(row)) is not None])

    def nearest(self, vector: Vector, limit: int) -> list[str]:
        """The documents nearest in meaning alone, nearest first."""
        return [self._rows[row].key for row in self._near(vector, limit)]

    def nearest_of(self, vector: Vector, keys: Iterable[str]) -> list[str]:
        """These documents, nearest in meaning first; those that were not read are left out."""
        here = self._here(keys)
        if self._space is None or self._meanings is None or not here:
            return []
        held, vectors = self._meanings.read([one.row for one in here])
        cosines = vectors @ self._space.query(vector).astype(np.float64)
        read = [one.key for one, has in zip(here, held, strict=True) if has]
        return [key for _, key in sorted(zip((-cosines).tolist(), read, strict=True))]

    def _near(self, vector: Vector | None, limit: int) -> list[int]:
        if vector is None or self._space is None or self._meanings is None:
            return []
        return self._meanings.nearest(self._space.query(vector), limit)

    def _of(self, categories: Collection[str], rows: Iterable[int]) -> list[int]:
        return [row for row in rows if self._rows[row].category in categories]

    def _here(self, keys: Iterable[str]) -> list[Held]:
        return [held for key in keys if (held := self._held.get(key)) is not None]

    def judge(self, need: Need, keys: Iterable[str]) -> Hits:
        """These documents, best first; keys that are not here are passed over."""
        return self._judge(need, self._here(keys))

    def _judge(self, need: Need, here: list[Held]) -> Hits:
        said = lexical.relevance(need.sought, [held.packed for held in here])
        meant, topic = self._meant(need, here)
        relevance = fusion.relevance(said, meant, topic)
        columns = (said.tolist(), meant.tolist(), topic.tolist(), relevance.tolist())
        hits = [
            Hit(held.key, lex, None if sem != sem else sem, top, all_)
            for held, lex, sem, top, all_ in zip(here, *columns, strict=True)
        ]
        hits.sort(key=_best_first)
        return hits

    def _meant(self, need: Need, here: list[Held]) -> tuple[Numbers, Numbers]:
        """Semantic and topical opinion on each; NaN where nothing was read."""
        meant, topic = np.full(len(here), np.nan), np.zeros(len(here))
        space, meanings = self._space, self._meanings
        if need.vector is None or space is None or meanings is None or not here:
            return meant, topic
        vector = space.query(need.vector)
        held, vectors = meanings.read([one.row for one in here])
        if held.any():
            meant[held] = fusion.semantic(vectors @ vector.astype(np.float64), space)
            own = fusion.voted(fusion.profiles(vector[None, :], space)[0], need.sought.categories, space)
            theirs = b"".join([one.profile for one, has in zip(here, held.tolist(), strict=True) if has])
            topic[held] = fusion.topical(own, np.frombuffer(theirs).reshape(-1, len(own)))
        return meant, topic

    def evidence(self, sought: Sought, key: str) -> list[Answer]:
        """What of a need a document answers, each with the field that says it best."""
        held = self._held.get(key)
        return [] if held is None else lexical.evidence(sought, held.packed)


def _best_first(hit: Hit) -> tuple[float, str]:
    return -hit.relevance, hit.key
