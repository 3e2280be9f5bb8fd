"""Words and meanings together: both propose, and both judge every proposal."""

from collections.abc import Iterable, Mapping

import numpy as np

from matchmaking.matching import fusion, lexical
from matchmaking.matching.fusion import Numbers, Space
from matchmaking.matching.inverted import Inverted
from matchmaking.matching.lexical import Answer, Sought
from matchmaking.matching.meanings import Meanings
from matchmaking.matching.retrieval import EVERYWHERE, Document, Hit, Hits, Need, Scope, Vector


class Index:
    """Documents by key. What was put or removed is seen by the next search.

    Shape: a document without a vector is found and judged by its words alone. Relevance is 0.0–1.0 and
    means the same for every need and every size of catalogue.
    """

    def __init__(self) -> None:
        self._inverted = Inverted()
        self._space: Space | None = None
        self._meanings: Meanings | None = None
        self._packed: dict[str, bytes] = {}
        self._categories: dict[str, str | None] = {}
        self._rows: dict[str, int] = {}
        self._keys: dict[int, str] = {}
        self._next = 0

    @property
    def count(self) -> int:
        return len(self._packed)

    @property
    def read(self) -> int:
        """How many documents have a vector."""
        return 0 if self._meanings is None else len(self._meanings)

    @property
    def space(self) -> Space | None:
        return self._space

    def __contains__(self, key: str) -> bool:
        return key in self._packed

    def use(self, space: Space | None) -> None:
        """Read meanings in this space from now on; those of another are forgotten."""
        self._space = space
        self._meanings = None if space is None else Meanings(space.dimensions)

    def put(self, key: str, document: Document) -> None:
        """A document, anew if it is here. Its vector goes with what it said before."""
        known = key in self._packed
        read = lexical.read(document)
        self._inverted.put(key, read.terms, document.category, known=known)
        self._packed[key] = read.packed
        self._categories[key] = document.category
        if known:
            self._forget(key)
        else:
            self._rows[key], self._keys[self._next] = self._next, key
            self._next += 1

    def learn(self, vectors: Mapping[str, Vector]) -> None:
        """Meanings of documents, as the model gave them; those of documents not here are passed over."""
        known = [key for key in vectors if key in self._rows]
        if self._space is None or self._meanings is None or not known:
            return
        centred = self._space.passages(np.array([vectors[key] for key in known]))
        self._meanings.put([self._rows[key] for key in known], centred)

    def remove(self, key: str) -> None:
        if key in self._packed:
            self._inverted.remove(key)
            self._forget(key)
            del self._packed[key], self._categories[key]
            del self._keys[self._rows.pop(key)]

    def _forget(self, key: str) -> None:
        if self._meanings is not None:
            self._meanings.remove(self._rows[key])

    def commit(self) -> None:
        """Make what was put or removed visible now; a search does it by itself."""
        self._inverted.commit()

    def sought(self, text: str) -> Sought:
        """What a need asks for, weighed by how telling each word is here and now."""
        self.commit()
        return lexical.sought(text, self._inverted.telling)

    def sought_as(self, text: str, telling: Mapping[str, float]) -> Sought:
        """What a need asks for, weighed as it was on another day."""
        return lexical.sought(text, lambda word: telling.get(word, 0.0))

    def search(self, need: Need, limit: int, scope: Scope = EVERYWHERE) -> Hits:
        """The most relevant documents, best first; equal ones by key.

        Shape: words and meanings propose `limit` each, so that up to twice as many are judged.
        """
        self.commit()
        found = dict.fromkeys(self._inverted.propose(need.sought.terms, limit, scope.categories))
        if need.vector is not None:
            near = self.nearest(need.vector, limit)
            found |= dict.fromkeys(key for key in near if self._within(key, scope))
        return self.judge(need, found)

    def nearest(self, vector: Vector, limit: int) -> list[str]:
        """The documents nearest in meaning alone, nearest first."""
        if self._space is None or self._meanings is None:
            return []
        return [self._keys[row] for row in self._meanings.nearest(self._space.query(vector), limit)]

    def nearest_of(self, vector: Vector, keys: Iterable[str]) -> list[str]:
        """These documents, nearest in meaning first; those that were not read are left out."""
        here = [key for key in keys if key in self._rows]
        if self._space is None or self._meanings is None or not here:
            return []
        held, vectors = self._meanings.read([self._rows[key] for key in here])
        cosines = vectors @ self._space.query(vector).astype(np.float64)
        read = [key for key, has in zip(here, held, strict=True) if has]
        return [key for _, key in sorted(zip((-cosines).tolist(), read, strict=True))]

    def _within(self, key: str, scope: Scope) -> bool:
        return scope.categories is None or self._categories[key] in scope.categories

    def judge(self, need: Need, keys: Iterable[str]) -> Hits:
        """These documents, best first; keys that are not here are passed over."""
        here = [key for key in keys if key in self._packed]
        said = lexical.relevance(need.sought, [self._packed[key] for key in here])
        meant, topic = self._meant(need, here)
        relevance = fusion.relevance(said, meant, topic)
        hits = [
            Hit(key, float(lex), None if np.isnan(sem) else float(sem), float(top), float(all_))
            for key, lex, sem, top, all_ in zip(here, said, meant, topic, relevance, strict=True)
        ]
        return sorted(hits, key=lambda hit: (-hit.relevance, hit.key))

    def _meant(self, need: Need, here: list[str]) -> tuple[Numbers, Numbers]:
        """Semantic and topical opinion on each; NaN where nothing was read."""
        meant, topic = np.full(len(here), np.nan), np.zeros(len(here))
        space, meanings = self._space, self._meanings
        if need.vector is None or space is None or meanings is None or not here:
            return meant, topic
        vector = space.query(need.vector)
        held, vectors = meanings.read([self._rows[key] for key in here])
        if held.any():
            meant[held] = fusion.semantic(vectors @ vector.astype(np.float64), space)
            own = fusion.voted(fusion.profiles(vector[None, :], space)[0], need.sought.categories, space)
            stated = [self._categories[key] for key, has in zip(here, held, strict=True) if has]
            theirs = fusion.placed(fusion.profiles(vectors, space), stated, space)
            topic[held] = fusion.topical(own, theirs)
        return meant, topic

    def evidence(self, sought: Sought, key: str) -> list[Answer]:
        """What of a need a document answers, each with the field that says it best."""
        return lexical.evidence(sought, self._packed[key]) if key in self._packed else []
