"""Documents by words and meanings: what is proposed is what judging everything would find."""

import zlib

import numpy as np
import pytest
from matchmaking.matching import inverted, lexical, words
from matchmaking.matching.fusion import Space
from matchmaking.matching.index import Index
from matchmaking.matching.lexical import ENTRY
from matchmaking.matching.retrieval import EVERYWHERE, Document, Need, Scope

TESTING, LOANS = "technology_quality.testing", "financing.loan_matching"
TEXTS = {
    "milk": Document("牛奶化验", "蛋白质与菌落检测，牛奶、酸奶都可以化验", TESTING),
    "steel": Document("钢材检测", "钢材拉伸与冲击试验", TESTING),
    "loan": Document("牧场贷款", "面向牛奶与养殖企业的贷款", LOANS),
    "plain": Document("T恤印花", "ISO9001 认证的印花厂", None),
}
DIMENSIONS = 8


def space(model: str = "any") -> Space:
    chance = np.random.default_rng(1)
    return Space(
        model=model,
        mean_query=np.zeros(DIMENSIONS, np.float32),
        mean_passage=np.zeros(DIMENSIONS, np.float32),
        mu=0.0,
        sigma=0.2,
        categories=(TESTING, LOANS),
        topics=unit(chance.standard_normal((2, DIMENSIONS))),
    )


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def vectors(count: int, seed: int = 2):
    return unit(np.random.default_rng(seed).standard_normal((count, DIMENSIONS)))


@pytest.fixture
def index():
    found = Index()
    found.use(space())
    for key, document in TEXTS.items():
        found.put(key, document)
    return found


def keys(hits):
    return [hit.key for hit in hits]


def need(index: Index, text: str, vector=None) -> Need:
    return Need(index.sought(text), vector)


def test_what_was_put_changed_and_removed_is_seen_at_once(index):
    assert keys(index.search(need(index, "牛奶化验"), 10))[0] == "milk"
    index.put("milk", Document("羊绒围巾", "羊绒分梳", None))
    assert "milk" not in keys(index.search(need(index, "牛奶化验"), 10))
    assert keys(index.search(need(index, "羊绒分梳"), 10)) == ["milk"]
    index.remove("milk")
    index.remove("never")
    assert index.search(need(index, "羊绒分梳"), 10) == []
    assert (index.count, "milk" in index) == (3, False)


def test_what_has_gone_is_not_proposed_although_the_inverted_index_still_holds_it(index, monkeypatch):
    sought = index.sought("牛奶化验")
    index.remove("milk")
    monkeypatch.setattr(inverted.Inverted, "commit", lambda self, *, wait=True: None)
    assert set(keys(index.search(Need(sought), 10))) == {"steel", "loan"}


def test_a_search_does_not_wait_for_a_commit_that_is_under_way(index):
    before = index.search(need(index, "钢材"), 10)
    index.put("new", Document("钢材", "钢材"))
    with index._inverted._writing:
        assert index.search(need(index, "钢材"), 10) == before
    assert "new" in keys(index.search(need(index, "钢材"), 10))


def test_a_vector_goes_with_the_text_it_was_read_of(index):
    index.learn(dict(zip(TEXTS, vectors(4), strict=True)) | {"never": vectors(1)[0]})
    assert index.read == 4
    index.put("milk", TEXTS["milk"])
    index.remove("steel")
    assert index.read == 2
    index.use(space("other"))
    assert (index.read, index.count) == (0, 3)


def test_scopes_together_find_what_each_finds(index):
    index.learn(dict(zip(TEXTS, vectors(4), strict=True)))
    asked = need(index, "牛奶 检测", vectors(1, 3)[0])
    for scopes in ((Scope({TESTING}),), (EVERYWHERE, Scope({TESTING})), (Scope({LOANS}), Scope({TESTING}))):
        apart = {hit for scope in scopes for hit in index.search(asked, 10, scope)}
        assert index.search(asked, 10, *scopes) == sorted(apart, key=lambda hit: (-hit.relevance, hit.key))
    assert set(keys(index.search(asked, 10, Scope({TESTING})))) == {"milk", "steel"}
    assert index.search(asked, 10, Scope(())) == []


def test_a_search_finds_what_judging_everything_finds(index):
    index.learn(dict(zip(TEXTS, vectors(4), strict=True)))
    for text in ("牛奶化验", "印花 ISO9001", "贷款", "毫无关系"):
        asked = need(index, text, vectors(1, 3)[0])
        assert index.search(asked, 10) == index.judge(asked, TEXTS)


def test_nearest_are_by_meaning_alone(index):
    rows = vectors(3)
    index.learn(dict(zip(["milk", "steel", "loan"], rows, strict=True)))
    assert index.nearest(rows[1], 1) == ["steel"]
    assert index.nearest_of(rows[2], ["plain", "loan", "never"]) == ["loan"]


def test_words_that_everything_says_are_left_out_when_there_are_too_many(index, monkeypatch):
    sought = index.sought("牛奶 化验 钢材 印花")
    monkeypatch.setattr(inverted, "MENTIONS", 1)
    monkeypatch.setattr(inverted, "LEAST_TERMS", 1)
    assert len(index.search(Need(sought), 10)) == 1


def test_a_text_is_packed_word_by_word():
    document = Document("牛奶化验", "化验 化验 ABC-1", TESTING)
    read = lexical.read(document)
    entries = np.frombuffer(read.packed, ENTRY)
    assert len(set(entries["word"].tolist())) == len(entries)
    fields = dict(zip(entries["word"].tolist(), entries["field"].tolist(), strict=True))
    assert fields[zlib.crc32("牛奶".encode())] == 0
    assert fields[zlib.crc32(b"abc")] == 1
    assert fields[zlib.crc32("检测".encode())] == 2
    assert (
        read.said.split().count("化验") == 5
    )  # twice for the title, twice in the text, once by the category
    assert lexical.read(Document("", "")).packed == b""


@pytest.mark.parametrize("text", ["牛奶化验，ABC-1", "𠀀𠀁 乳 ISO９００１", "", "ᠬᠥᠬᠡ 奶"])
def test_words_and_pairs_are_read_together_as_apart(text):
    assert words.read(text) == (words.of(text), words.grams(text))


def test_each_answer_is_the_best_of_its_alternatives():
    texts = [lexical.read(document).packed for document in TEXTS.values()]
    sought = lexical.sought("想测一下牛奶里有没有抗生素，要贷款", lambda word: 2.0)
    found = lexical.answers(sought, texts)
    for column, ask in enumerate(sought.asks):
        for row, packed in enumerate(texts):
            entries = np.frombuffer(packed, ENTRY)
            said = dict(zip(entries["word"].tolist(), (entries["impact"] / 200).tolist(), strict=True))
            best = 0.0
            for together, factor in ask.alternatives:
                parts = [said.get(lexical.hashed(word), 0.0) for word in together]
                whole = factor if all(parts) else factor * lexical.PART_FACTOR
                best = max(best, sum(parts) / len(parts) * whole)
            assert found[row, column] == pytest.approx(best)
