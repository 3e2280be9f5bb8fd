"""BM25 over Chinese words in an in-memory index (tantivy), calibrated to a share of the need.

The engine's own IDF depends on how many offerings there happen to be: with three of them every word is
common. Each word is therefore weighed by its frequency here smoothed with its frequency in Chinese,
and the sum is divided by what an offering saying each of the need's strongest words once would get.
"""

import math
from collections.abc import Sequence

import tantivy

from matchmaking.matching import words
from matchmaking.matching.retrieval import Document, Evidence

FIELDS = (("title", 1.0), ("body", 0.75), ("tags", 0.6))
# So many of the strongest words make a full match: a need is told in more words than it has points.
FULL_MATCH_WORDS = 8
# The dictionary counts as much as this many offerings.
PRIOR_DOCUMENTS = 200
BODY_CHARACTERS = 4_000
WRITER_BYTES = 15_000_000
_EVERY = "1"


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("key", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("every", tokenizer_name="raw", index_option="basic")
    for field, _ in FIELDS:
        builder.add_text_field(field, tokenizer_name="words", index_option="freq")
    builder.add_text_field("said", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("category", stored=True, tokenizer_name="raw", index_option="basic")
    return builder.build()


class Lexical:
    """One in-memory index. Its writer's threads start with the first `put`, never at import."""

    def __init__(self) -> None:
        self._schema = _schema()
        self._index = tantivy.Index(self._schema)
        analyzer = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        self._index.register_tokenizer("words", analyzer)
        self._writer: tantivy.IndexWriter | None = None
        self._keys: set[str] = set()
        self._pending = False
        self._searcher = self._index.searcher()

    @property
    def count(self) -> int:
        return len(self._keys)

    def put(self, key: str, document: Document) -> None:
        writer = self._drop(key)
        title = words.of(document.title)
        body = words.of(document.body[:BODY_CHARACTERS])
        entry = tantivy.Document()
        entry.add_text("key", key)
        entry.add_text("every", _EVERY)
        entry.add_text("title", " ".join(title))
        entry.add_text("body", " ".join(body))
        entry.add_text("tags", " ".join(words.of_category(document.category)))
        entry.add_text("said", " ".join(sorted({*title, *body})))
        entry.add_text("category", document.category)
        writer.add_document(entry)
        self._keys.add(key)

    def remove(self, key: str) -> None:
        if key in self._keys:
            self._drop(key)
            self._keys.discard(key)

    def _drop(self, key: str) -> tantivy.IndexWriter:
        if self._writer is None:
            self._writer = self._index.writer(WRITER_BYTES, 1)
        if key in self._keys:
            self._writer.delete_documents_by_term("key", key)
        self._pending = True
        return self._writer

    def commit(self) -> None:
        if self._pending and self._writer is not None:
            self._writer.commit()
            self._index.reload()
            self._searcher = self._index.searcher()
            self._pending = False

    def _term(self, field: str, word: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, field, word, "freq")

    def _weight(self, word: str, total: int) -> float:
        """IDF over the offerings here and the dictionary's prior together."""
        held = max(self._searcher.doc_freq(field, word) for field, _ in FIELDS)
        documents = total + PRIOR_DOCUMENTS
        with_word = held + PRIOR_DOCUMENTS * words.share(word)
        return math.log(1 + (documents - with_word + 0.5) / (with_word + 0.5))

    def _clause(self, word: str, weight: float, total: int) -> tantivy.Query | None:
        """The best of a word's forms in the fields that hold them; tantivy's own IDF divided out."""
        best: list[tantivy.Query] = []
        for form, factor in words.forms(word):
            for field, boost in FIELDS:
                held = self._searcher.doc_freq(field, form)
                if held:
                    idf = math.log(1 + (total - held + 0.5) / (held + 0.5))
                    boosted = weight * factor * boost / idf
                    best.append(tantivy.Query.boost_query(self._term(field, form), boosted))
        return tantivy.Query.disjunction_max_query(best) if best else None

    def search(self, text: str, limit: int) -> Sequence[tuple[str, float]]:
        self.commit()
        # Deleted documents count until their segment is merged, for tantivy's IDF and so for ours.
        total = self._searcher.doc_freq("every", _EVERY)
        sought = words.sought(text)
        if not total or not sought:
            return []
        weights = {word: emphasis * self._weight(word, total) for word, emphasis in sought.items()}
        full = sum(sorted(weights.values(), reverse=True)[:FULL_MATCH_WORDS])
        clauses = [
            (tantivy.Occur.Should, clause)
            for word, weight in weights.items()
            if (clause := self._clause(word, weight, total)) is not None
        ]
        if not clauses:
            return []
        result = self._searcher.search(tantivy.Query.boolean_query(clauses), limit, count=False)
        found = [
            (str(self._searcher.doc(address).get_first("key")), min(1.0, float(score) / full))
            for score, address in result.hits
        ]
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))

    def evidence(self, key: str, text: str) -> Evidence:
        self.commit()
        query = tantivy.Query.term_query(self._schema, "key", key, "basic")
        hits = self._searcher.search(query, 1, count=False).hits
        if not hits:
            return Evidence()
        document = self._searcher.doc(hits[0][1])
        said = set(str(document.get_first("said") or "").split())
        tags = set(words.of_category(str(document.get_first("category"))))
        sought = [(word, {form for form, _ in words.forms(word)}) for word in words.sought(text)]
        return Evidence(
            said=words.shown([word for word, forms in sought if forms & said], text),
            by_category=words.shown(
                [word for word, forms in sought if not forms & said and forms & tags], text
            ),
        )
