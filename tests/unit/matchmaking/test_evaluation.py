"""Measuring the search: figures by hand, files in the layout of BEIR, and runs on a small collection."""

import gzip
import json
import math
import zlib

import numpy as np
import pytest
from common.errors import Invalid, Unavailable
from common.settings import Settings
from matchmaking.embedders.domain import away, refused
from matchmaking.evaluation import collection, metrics, repository, service
from matchmaking.evaluation.repository import Vectors
from matchmaking.evaluation.shipped import development

OFF = Settings(node="matchmaking", topology="-", database_url="postgresql:", embeddings="off")
ON = OFF.model_copy(update={"embeddings": "http://127.0.0.1:9/v1", "embeddings_model": "stub"})
SCORES = {"a": 3, "b": 2, "c": 1, "d": 0, "e": -1}


def silent(part, done, total):
    """Tells nobody."""


def test_ndcg_by_hand():
    best = 7 + 3 / math.log2(3) + 1 / 2
    assert metrics.ndcg(["a", "b", "c"], SCORES) == 1.0
    assert metrics.ndcg(["b", "x", "a"], SCORES) == pytest.approx((3 + 7 / 2) / best)
    assert metrics.ndcg(["d", "e", "x"], SCORES) == 0.0
    assert metrics.ndcg([*"0123456789", "a"], SCORES) == 0.0
    assert metrics.ndcg([], SCORES) == 0.0
    assert metrics.ndcg(["a"], {"a": 0}) == 0.0


def test_the_best_order_is_of_ten_and_of_what_was_not_found_too():
    many = {f"r{n}": 1 for n in range(20)}
    assert metrics.ndcg([f"r{n}" for n in range(10)], many) == pytest.approx(1.0)
    assert metrics.ndcg(["here"], {"here": 1, "elsewhere": 3}) == pytest.approx(1 / (7 + 1 / math.log2(3)))


def test_reciprocal_rank_by_hand():
    assert metrics.reciprocal_rank(["x", "d", "c", "a"], SCORES) == pytest.approx(1 / 3)
    assert metrics.reciprocal_rank([*"0123456789", "a"], SCORES) == 0.0


def test_recall_by_hand():
    far = [str(n) for n in range(99)]
    assert metrics.recall([*far, "a", "b"], SCORES) == pytest.approx(1 / 3)
    assert metrics.recall(["c", "b", "a"], SCORES) == 1.0
    assert metrics.recall(["d"], {"d": 0}) == 0.0


def test_percentiles_are_values_that_were_measured():
    assert metrics.percentile([5, 1, 4, 2, 3], 0.5) == 3
    assert metrics.percentile(list(range(1, 201)), 0.99) == 198
    assert metrics.percentile([7], 0.99) == 7
    assert metrics.percentile([], 0.5) == 0.0


def test_a_tally_means_over_queries():
    tally = metrics.Tally()
    tally.add(["a"], {"a": 1}, 0.001)
    tally.add(["x", "a"], {"a": 1}, 0.003)
    found = tally.figures()
    assert found.document() == {
        "ndcg@10": round((1 + 1 / math.log2(3)) / 2, 6),
        "mrr@10": 0.75,
        "recall@100": 1.0,
        "p50_ms": 1.0,
        "p99_ms": 3.0,
    }


def line(**entry):
    return json.dumps(entry, ensure_ascii=False)


def test_documents_may_lack_a_title_and_numbers_are_ids():
    lines = [line(_id=7, text="甲"), "", line(_id="8", title="乙", text="", metadata={"kind": "x"})]
    found = dict(collection.documents(lines))
    assert found["7"].title == "" and found["7"].body == "甲" and found["8"].title == "乙"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([line(_id="1", text="x"), "{"], "line 2: is no JSON"),
        ([line(_id="1", text="x"), "[1]"], "line 2: is no JSON object"),
        ([line(text="x")], "line 1: has no _id"),
        ([line(_id="1", title="x")], "line 1: text is no text"),
        ([line(_id="1", text=["x"])], "line 1: text is no text"),
        ([line(_id="1", text="x"), "", line(_id=1, text="y")], "line 3: the id is there twice: 1"),
        ([], "there is no document"),
        (["\n"], "there is no document"),
    ],
)
def test_bad_documents_are_named(lines, said):
    with pytest.raises(Invalid, match=said):
        list(collection.documents(lines))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("q1\td1\tgood", "line 2: the score is no integer"),
        ("q1\td1", "line 2: must be three columns"),
        ("q1 d1 1", "line 2: must be three columns"),
        ("q1\td1\t5000", "line 2: the score is above"),
    ],
)
def test_bad_judgements_are_named(row, said):
    with pytest.raises(Invalid, match=said):
        collection.judgements(["query-id\tcorpus-id\tscore\n", row])


def test_a_pair_judged_twice_must_agree():
    assert collection.judgements(["q\td\t1", "q\td\t1\r\n"]) == {"q": {"d": 1}}
    with pytest.raises(Invalid, match="two scores"):
        collection.judgements(["q\td\t1", "q\td\t2"])


@pytest.mark.parametrize("head", [["query-id\tcorpus-id\tscore\n"], ["query-id\tcorpus-id\n"], []])
@pytest.mark.parametrize("score", ["", "\t0.7"])
def test_candidates_with_and_without_head_and_score(head, score):
    found = collection.candidates([*head, f"q1\td2{score}\n", f"q1\td1{score}\n", f"q1\td2{score}\n"])
    assert found == {"q1": ("d2", "d1")}


def test_files_may_be_packed_and_carry_a_mark(tmp_path):
    packed = tmp_path / "corpus.jsonl.gz"
    packed.write_bytes(gzip.compress(("\ufeff" + line(_id="d", text="一\u2028二") + "\n").encode()))
    assert len(list(collection.documents(repository.lines(packed)))) == 1


@pytest.mark.parametrize("content", [b"\x1f\x8b broken", b""])
def test_a_packed_file_that_is_none_is_told(tmp_path, content):
    packed = tmp_path / "corpus.jsonl.gz"
    packed.write_bytes(content)
    with pytest.raises(Invalid, match=r"cannot be read|no document"):
        list(collection.documents(repository.lines(packed)))


def test_vectors_are_kept_by_model_and_shared(tmp_path):
    one, other = Vectors(tmp_path / "kept"), Vectors(tmp_path / "kept")
    one.put("m", {b"1": np.array([0.6, 0.8], np.float32), b"2": None})
    assert other.known("m", [b"1", b"2", b"3"]) == {b"1", b"2"} and other.known("n", [b"1"]) == set()
    assert other.get("m", [b"1", b"2"])[b"1"] == pytest.approx([0.6, 0.8], abs=1e-3)
    one.close(), other.close()
    again = Vectors(tmp_path / "kept")
    assert again.known("m", [b"1"]) == {b"1"}
    again.close()


@pytest.mark.parametrize("place", ["file", "damaged"])
def test_without_a_folder_that_can_be_used_vectors_live_in_memory(tmp_path, place):
    folder = tmp_path / place
    if place == "file":
        folder.write_text("in the way", encoding="ascii")
    else:
        folder.mkdir()
        (folder / repository.FILE).write_bytes(b"no database" * 1000)
    kept = Vectors(folder)
    kept.put("m", {b"1": None})
    assert kept.known("m", [b"1"]) == {b"1"}
    kept.close()


ODD = {
    "empty": "",
    "blank": " \t\u3000",
    "one": "牛",
    "long": "检测" * 10_000,
    "emoji": "🐄🥛🔬 👨‍👩‍👧",
    "mongolian": "ᠮᠣᠩᠭᠣᠯ ᠦᠰᠦᠭ",
    "mixed": "ISO9001 认证 ᠮᠣᠩᠭᠣᠯ 🐄 检测 café",
    "half": "\ud83d 半个",
    "nothing": "\0\0 零",
    "arabic": "\ufdfa" * 30,
}


def odd(among=None):
    """Every odd text as a document and as a query that wants it."""
    entries = [line_ascii(key, text) for key, text in ODD.items()]
    return collection.collected(
        "odd",
        lambda: collection.documents(entries),
        collection.queries(entries),
        {key: {key: 1} for key in ODD},
        among,
    )


def line_ascii(key, text):
    return json.dumps({"_id": key, "text": text})


async def test_odd_texts_are_ranked_by_words():
    found = await service.evaluate(odd(), OFF, Vectors(), silent, {})
    assert found.documents == len(ODD) and found.model is None
    # The empty, the blank, the single character and the emoji hold no word.
    assert found.figures["lexical"].recall >= 0.5
    assert found.figures["semantic"].recall == 0.0


class Stub:
    """A model of three numbers: by what is said of milk, wool and all else. It remembers what it was told."""

    def __init__(self, failures=0):
        self.read, self.asked, self.failures = [], [], failures

    def expect(self, dimensions):
        """Takes any."""

    async def passages(self, texts):
        if self.failures:
            self.failures -= 1
            raise away("busy")
        if any("坏" in text for text in texts):
            raise refused("HTTP 400")
        self.read += texts
        return np.array([self.vector(text) for text in texts])

    async def query(self, text):
        if "坏" in text:
            raise refused("HTTP 400")
        self.asked.append(text)
        return self.vector(text)

    def vector(self, text):
        noise = zlib.crc32(text.encode()) % 97 / 970
        found = np.array([text.count("奶") + noise, text.count("绒") + 0.1, 0.3 + noise], np.float32)
        return found / np.linalg.norm(found)

    async def close(self):
        self.read.append("closed")


@pytest.fixture
def stub(monkeypatch):
    monkeypatch.setattr(service, "PAUSE_S", 0.0)

    def use(**settings):
        model = Stub(**settings)
        monkeypatch.setattr(service.embedders, "open_embedder", lambda source, settings: model)
        return model

    return use


MILK = {"a": "鲜奶化验", "b": "羊绒纺纱", "bad": "坏", "none": "", "far": "记账报税"}


def milk(among=None):
    entries = [line(_id=key, text=text) for key, text in MILK.items()]
    return collection.collected(
        "milk",
        lambda: collection.documents(entries),
        {"q": "谁能验奶", "bad": "坏"},
        {"q": {"a": 1}, "bad": {"a": 1}},
        among,
    )


async def test_each_text_is_read_once_and_what_is_refused_is_done_without(stub):
    model, kept = stub(), Vectors()
    found = await service.evaluate(milk(), ON, kept, silent, {})
    assert found.figures["semantic"].mrr == 0.5  # the refused query has no meaning
    assert model.read.count("鲜奶化验") == 1 and model.read[-1] == "closed"
    again = stub()
    await service.evaluate(milk(), ON, kept, silent, {})
    assert again.read == ["closed"] and set(again.asked) == {service.PROBE, "谁能验奶"}


async def test_of_candidates_only_these_are_read(stub):
    kept = Vectors()
    stub()
    await service.evaluate(milk({"q": ("b",), "bad": ("b",)}), ON, kept, silent, {})
    model = stub()
    found = await service.evaluate(milk({"q": ("b", "a"), "bad": ()}), ON, kept, silent, {})
    assert model.read == ["鲜奶化验", "closed"]
    assert found.figures["semantic"].mrr == found.figures["fused"].mrr == 0.5


async def test_a_model_that_is_busy_is_asked_again_and_one_that_stays_away_ends_it(stub):
    stub(failures=service.ATTEMPTS - 1)
    assert (await service.evaluate(milk(), ON, Vectors(), silent, {})).documents == len(MILK)
    model = stub(failures=10_000)
    with pytest.raises(Unavailable):
        await service.evaluate(milk(), ON, Vectors(), silent, {})
    assert model.read == ["closed"]


async def test_equal_documents_are_ordered_by_id_and_nothing_else_is_found():
    entries = [line(_id=key, text="牛奶检测") for key in ("c", "a", "b")] + [line(_id="z", text="羊绒染色")]
    of = collection.collected(
        "equal", lambda: collection.documents(entries), {"q": "牛奶检测"}, {"q": {"a": 1}}
    )
    seen = []

    async def rank(query, text, among):
        seen.append((query, text, among))
        return ["b", "a"]

    found = await service.evaluate(of, OFF, Vectors(), silent, {"other": rank})
    assert found.figures["lexical"].mrr == found.figures["fused"].mrr == 1.0
    assert found.figures["other"].mrr == 0.5 and seen == [("q", "牛奶检测", None)]


async def test_only_candidates_are_ranked_and_the_unknown_counted():
    entries = [line(_id=key, text="牛奶检测") for key in "abc"]
    of = collection.collected(
        "few",
        lambda: collection.documents(entries),
        {"q": "牛奶检测", "r": "牛奶检测", "s": "牛奶检测"},
        {"q": {"a": 1, "c": 1, "gone": 2}, "r": {"b": 1}, "s": {"b": 0}, "t": {"b": 1}},
        {"q": ("c", "b", "nowhere")},
    )
    assert of.irrelevant == 1 and of.unknown_queries == 1 and list(of.queries) == ["q", "r"]
    found = await service.evaluate(of, OFF, Vectors(), silent, {})
    assert (found.unknown_judged, found.unknown_candidates, found.without_candidates) == (1, 1, 1)
    assert found.figures["lexical"].mrr == (1 / 2 + 0) / 2
    assert found.figures["lexical"].recall == pytest.approx((1 / 3 + 0) / 2)


async def test_queries_and_judgements_without_anything_in_common_are_refused():
    of = collection.collected("none", lambda: iter(()), {"q": "x"}, {"r": {"a": 1}, "q": {"a": 0}})
    with pytest.raises(Invalid, match="nothing to measure"):
        await service.evaluate(of, OFF, Vectors(), silent, {})


def test_the_shipped_halves_share_nothing_and_miss_nothing():
    whole, tune, report = development(), development("tune"), development("report")
    assert set(tune.queries) | set(report.queries) == set(whole.queries)
    assert not set(tune.queries) & set(report.queries)
    assert min(len(tune.queries), len(report.queries)) > 60
