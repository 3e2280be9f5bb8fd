"""An in-memory inverted index (tantivy): which documents may say a need's words at all, and how many do.

It only proposes. What a proposal is worth is computed from its own words (lexical.py), so that the
state of the index's segments has no part in a score.
"""

import math
from collections.abc import Collection, Mapping

import tantivy

from matchmaking.matching import words

WRITER_BYTES = 15_000_000
# The dictionary's frequencies count as much as this many documents.
PRIOR_DOCUMENTS = 200
_EVERY = "1"


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("key", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("every", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("category", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("words", tokenizer_name="words", index_option="freq")
    return builder.build()


class Inverted:
    """One index. Its writer's threads start with the first `put`, never at import."""

    def __init__(self) -> None:
        self._schema = _schema()
        self._index = tantivy.Index(self._schema)
        analyzer = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        self._index.register_tokenizer("words", analyzer)
        self._writer: tantivy.IndexWriter | None = None
        self._pending = False
        self._searcher = self._index.searcher()

    def put(self, key: str, said: Collection[str], category: str | None, *, known: bool) -> None:
        """Shape: `said` holds a word as often as it counts; `known` replaces what the key held."""
        writer = self.remove(key) if known else self._open()
        entry = tantivy.Document()
        entry.add_text("key", key)
        entry.add_text("every", _EVERY)
        entry.add_text("words", " ".join(said))
        if category is not None:
            entry.add_text("category", category)
        writer.add_document(entry)

    def remove(self, key: str) -> tantivy.IndexWriter:
        writer = self._open()
        writer.delete_documents_by_term("key", key)
        return writer

    def _open(self) -> tantivy.IndexWriter:
        if self._writer is None:
            self._writer = self._index.writer(WRITER_BYTES, 1)
        self._pending = True
        return self._writer

    def commit(self) -> None:
        """Make what was put or removed visible."""
        if self._pending and self._writer is not None:
            self._writer.commit()
            self._index.reload()
            self._searcher = self._index.searcher()
            self._pending = False

    def telling(self, word: str) -> float:
        """How telling a word is: its inverse frequency here and in the dictionary's Chinese together.

        With a few documents every word is common in them; then the dictionary decides.
        """
        documents = self._searcher.num_docs + PRIOR_DOCUMENTS
        held = self._holding(word) + PRIOR_DOCUMENTS * words.share(word)
        return math.log(1 + (documents - held + 0.5) / (held + 0.5))

    def _holding(self, word: str) -> int:
        """How many documents hold a word. The index's own figure counts what was removed until it merges."""
        if self._searcher.num_docs == self._searcher.doc_freq("every", _EVERY):
            return self._searcher.doc_freq("words", word)
        term = tantivy.Query.term_query(self._schema, "words", word, "freq")
        return self._searcher.search(term, 1, count=True).count or 0

    def propose(
        self, terms: Mapping[str, float], limit: int, categories: Collection[str] | None
    ) -> list[str]:
        """The keys that say most of the terms, roughly: BM25 by their weights."""
        total = self._searcher.doc_freq("every", _EVERY)
        clauses: list[tuple[tantivy.Occur, tantivy.Query]] = []
        for form, weight in terms.items():
            held = self._searcher.doc_freq("words", form)
            if held:
                term = tantivy.Query.term_query(self._schema, "words", form, "freq")
                idf = math.log(1 + (total - held + 0.5) / (held + 0.5))
                clauses.append((tantivy.Occur.Should, tantivy.Query.boost_query(term, weight / idf)))
        if not clauses:
            return []
        query = tantivy.Query.boolean_query(clauses)
        if categories is not None:
            query = tantivy.Query.boolean_query(
                [
                    (tantivy.Occur.Must, query),
                    (
                        tantivy.Occur.Must,
                        tantivy.Query.const_score_query(
                            tantivy.Query.term_set_query(self._schema, "category", list(categories)), 0.0
                        ),
                    ),
                ]
            )
        found = self._searcher.search(query, limit, count=False)
        return [str(self._searcher.doc(address).get_first("key")) for _, address in found.hits]
