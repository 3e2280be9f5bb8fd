"""An in-memory inverted index (tantivy): which documents may say a need's words at all, and how many do.

It only proposes. What a proposal is worth is computed from its own words (lexical.py), so that the
state of the index's segments has no part in a score.
"""

import math
import threading
from collections.abc import Collection, Mapping
from functools import lru_cache, partial

import tantivy

from matchmaking.matching import words

WRITER_BYTES = 15_000_000
# The dictionary's frequencies count as much as this many documents.
PRIOR_DOCUMENTS = 200
# So many mentions of the weightiest terms are looked through for proposals, however large the catalogue is:
# what is said by so many more tells little, and is judged in what the others propose.
MENTIONS = 60_000
LEAST_TERMS = 2
# Of so many words it is remembered, until the next commit, how many documents hold them.
COUNTED = 2**14
_EVERY = "1"


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("row", indexed=True, fast=True)
    builder.add_text_field("every", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("category", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("words", tokenizer_name="words", index_option="freq")
    return builder.build()


class View:
    """The index as of one commit. `every` counts what was removed too, until its segment is merged."""

    def __init__(self, schema: tantivy.Schema, searcher: tantivy.Searcher) -> None:
        self._schema, self.searcher = schema, searcher
        self.living, self.every = searcher.num_docs, searcher.doc_freq("every", _EVERY)
        # How many hold a word, with those that were removed.
        self.mentions = lru_cache(COUNTED)(partial(searcher.doc_freq, "words"))
        self.holding = self.mentions if self.living == self.every else lru_cache(COUNTED)(self._among_living)

    def _among_living(self, word: str) -> int:
        term = tantivy.Query.term_query(self._schema, "words", word, "freq")
        return self.searcher.search(term, 1, count=True).count or 0  # pyright: ignore


class Inverted:
    """One index of documents by row number. Its writer's threads start with the first `put`, never at import."""

    def __init__(self) -> None:
        self._schema = _schema()
        self._index = tantivy.Index(self._schema)
        analyzer = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        self._index.register_tokenizer("words", analyzer)
        self._writer: tantivy.IndexWriter | None = None
        self._writing = threading.Lock()
        self._pending = False
        self._view = View(self._schema, self._index.searcher())

    def put(self, row: int, said: str, category: str | None, *, known: bool) -> None:
        """Shape: `said` holds a word as often as it counts; `known` replaces what the row held."""
        entry = tantivy.Document()
        entry.add_unsigned("row", row)
        entry.add_text("every", _EVERY)
        entry.add_text("words", said)
        if category is not None:
            entry.add_text("category", category)
        with self._writing:
            writer = self._open()
            if known:
                self._delete(writer, row)
            writer.add_document(entry)

    def remove(self, row: int) -> None:
        with self._writing:
            self._delete(self._open(), row)

    def _delete(self, writer: tantivy.IndexWriter, row: int) -> None:
        # By a query: a bare number would be a term of another type, and delete nothing.
        writer.delete_documents_by_query(tantivy.Query.term_query(self._schema, "row", row))

    def _open(self) -> tantivy.IndexWriter:
        if self._writer is None:
            self._writer = self._index.writer(WRITER_BYTES, 1)
        self._pending = True
        return self._writer

    def commit(self, *, wait: bool = True) -> None:
        """Make what was put or removed visible. Without `wait`, whoever is at it already will do."""
        if not self._pending or not self._writing.acquire(blocking=wait):
            return
        try:
            if self._pending and self._writer is not None:
                self._pending = False
                self._writer.commit()
                self._index.reload()
                self._view = View(self._schema, self._index.searcher())
        finally:
            self._writing.release()

    def telling(self, word: str) -> float:
        """How telling a word is: its inverse frequency here and in the dictionary's Chinese together.

        With a few documents every word is common in them; then the dictionary decides.
        """
        view = self._view
        documents = view.living + PRIOR_DOCUMENTS
        held = view.holding(word) + PRIOR_DOCUMENTS * words.share(word)
        return math.log(1 + (documents - held + 0.5) / (held + 0.5))

    def propose(
        self, terms: Mapping[str, float], limit: int, categories: Collection[str] | None = None
    ) -> list[int]:
        """The rows that say most of the terms, roughly: BM25 by their weights."""
        view = self._view
        clauses: list[tuple[tantivy.Occur, tantivy.Query]] = []
        mentions = 0
        for form, weight in sorted(terms.items(), key=lambda item: (-item[1], item[0])):
            held = view.mentions(form)
            if not held or (mentions + held > MENTIONS and len(clauses) >= LEAST_TERMS):
                continue
            mentions += held
            term = tantivy.Query.term_query(self._schema, "words", form, "freq")
            idf = math.log(1 + (view.every - held + 0.5) / (held + 0.5))
            clauses.append((tantivy.Occur.Should, tantivy.Query.boost_query(term, weight / idf)))
        if not clauses:
            return []
        query = tantivy.Query.boolean_query(clauses)
        if categories is not None:
            query = self._within(query, categories)
        found = view.searcher.search(query, limit, count=False)
        return view.searcher.fast_field_values("row", [address for _, address in found.hits])  # pyright: ignore

    def _within(self, query: tantivy.Query, categories: Collection[str]) -> tantivy.Query:
        among = tantivy.Query.term_set_query(self._schema, "category", list(categories))
        return tantivy.Query.boolean_query(
            [
                (tantivy.Occur.Must, query),
                (tantivy.Occur.Must, tantivy.Query.const_score_query(among, 0.0)),
            ]
        )
