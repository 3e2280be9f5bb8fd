"""What a text's vector is known by, how it is kept, and how answers of servers are read."""

import base64
import json

import numpy as np
import pytest
from common.settings import Settings
from hypothesis import given
from hypothesis import strategies as st
from matchmaking.embedders.domain import CUT, Source, prepared, read_answer, unit
from matchmaking.embeddings.domain import anchors, calibrate, calibrated, content_hash, pack, unpack, wanted
from matchmaking.matching import lexicon
from matchmaking.matching.fusion import centred
from reference import categories

from tests.servers import TOPOLOGY


def rows(count, dimensions=384, seed=1):
    made = np.random.default_rng(seed).normal(size=(count, dimensions)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def settings(**changes):
    return Settings(node="matchmaking", topology=TOPOLOGY, database_url="postgresql://x/y", **changes)


def answer(items):
    return json.dumps({"data": items}).encode()


def test_a_text_is_known_by_what_is_read_of_it():
    assert content_hash("检测") == content_hash(" 检测\n") != content_hash("检验")
    assert content_hash("e\u0301") == content_hash("\u00e9")
    assert content_hash("字" * CUT + "甲") == content_hash("字" * CUT + "乙")
    assert content_hash("字" * (CUT - 1) + "甲") != content_hash("字" * (CUT - 1) + "乙")
    assert content_hash("检测", "query") != content_hash("检测")


@given(st.text())
def test_what_is_read_of_a_text_is_read_again_the_same(text):
    assert len(prepared(text)) <= CUT
    assert wanted(text).hash == content_hash(text)


def test_vectors_are_kept_in_half_the_bytes_and_nearly_the_same():
    made = rows(50)
    kept = {bytes([n]): pack(row) for n, row in enumerate(made)}
    assert {len(packed) for packed in kept.values()} == {768}
    back = unpack(kept)
    found = np.stack([back[bytes([n])] for n in range(50)])
    assert found.dtype == np.float32
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert np.abs(found @ found.T - made @ made.T).max() < 1e-3


def test_a_refused_text_has_no_vector():
    assert unpack({b"a": b""}) == {}
    assert list(unpack({b"a": b"", b"b": pack(rows(1)[0])})) == [b"b"]


def test_a_source_has_the_same_name_after_it_was_stored():
    source = Source(endpoint="http://e/v1", model="m", query_fields={"b": 1, "a": {"d": 1, "c": 2}})
    stored = json.loads(json.dumps(source.model_dump(mode="json"), sort_keys=True))
    assert Source.model_validate(stored).name == source.name
    others = [
        source.model_copy(update=change)
        for change in (
            {"endpoint": "http://f/v1"},
            {"model": "n"},
            {"release": "2"},
            {"query_prefix": "query: "},
            {"passage_fields": {"a": 1}},
        )
    ]
    assert len({source.name, *(other.name for other in others)}) == 6


def test_centring_takes_away_what_all_have_in_common():
    shared = np.full(64, 0.5, np.float32)
    crowded = unit(rows(200, 64) * 0.5 + shared, 200)
    assert (crowded @ crowded.T).mean() > 0.9
    apart = centred(crowded, crowded.mean(axis=0))
    assert abs((apart @ apart.T).mean()) < 0.02
    assert np.allclose(centred(crowded[3], crowded.mean(axis=0)), apart[3], atol=1e-6)
    assert np.isfinite(centred(shared, shared)).all()


def test_a_space_is_the_same_each_time_and_places_unrelated_pairs_at_its_middle():
    fields = [category.id for category in categories.all() if category.parent]
    one, other = (
        calibrate("m", rows(len(fields), seed=3), rows(40, seed=1), rows(60, seed=2)) for _ in range(2)
    )
    assert (one.mu, one.sigma) == (other.mu, other.sigma)
    assert np.array_equal(one.mean_query, other.mean_query) and np.array_equal(one.topics, other.topics)
    assert abs(one.mu) < 0.01 < one.sigma
    assert list(one.categories) == fields and one.topics.shape == (len(fields), one.dimensions)
    assert np.allclose(np.linalg.norm(one.topics, axis=1), 1, atol=1e-5)


def test_anchors_are_fixed_and_of_each_sort_many_enough():
    """Every category, what owners say, and offerings: the keys of the texts are their version."""
    found = anchors()
    assert found == anchors.__wrapped__()
    assert len({anchor.hash for anchor in found}) == len(found)
    queries = [anchor.text for anchor in found if anchor.side == "query"]
    for category in categories.all():
        assert category.parent is None or prepared(" ".join((category.zh, *category.keywords))) in queries
    said = {expression for group in lexicon.groups() for expression in group.say}
    assert sum(text.split("，")[0] in said for text in queries) >= 90
    assert 90 <= sum(anchor.side == "passage" for anchor in found) <= 110


def test_without_a_vector_of_each_category_there_is_no_space():
    found = anchors()
    kept = dict(zip((anchor.hash for anchor in found), rows(len(found)), strict=True))
    assert calibrated("m", kept) is not None
    refused = [anchor.hash for anchor in found if anchor.side == "passage"][:50]
    assert calibrated("m", {key: row for key, row in kept.items() if key not in refused}) is not None
    assert calibrated("m", {key: row for key, row in kept.items() if key != found[0].hash}) is None
    assert calibrated("m", {}) is None


def test_vectors_are_read_in_the_order_of_the_texts_as_numbers_or_base64():
    made = rows(3, 8)
    coded = [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in made]
    numbers = [{"index": n, "embedding": made[n].tolist()} for n in (2, 0, 1)]
    assert np.allclose(read_answer(answer(numbers), 3), made)
    assert np.array_equal(
        read_answer(answer([{"index": n, "embedding": coded[n]} for n in (1, 2, 0)]), 3), made
    )
    assert np.array_equal(read_answer(answer([{"embedding": text} for text in coded]), 3), made)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"nonsense", b"\xff\xfe", b"[]", b"7", b"null", b"{}", b'{"data": 1}', b'{"data": [1]}',
        b'{"data": [{}]}', b'{"data": [{"index": 0}]}', b'{"data": [{"index": 5, "embedding": [1.0]}]}',
        b'{"data": [{"index": 0, "embedding": []}]}', b'{"data": [{"index": 0, "embedding": null}]}',
        b'{"data": [{"index": 0, "embedding": "***"}]}', b'{"data": [{"index": 0, "embedding": "YWJj"}]}',
        b'{"data": [{"index": 0, "embedding": [[1.0]]}]}', b'{"data": [{"index": 0, "embedding": [NaN]}]}',
        b'{"data": [{"index": 0, "embedding": [1e999]}]}', b'{"data": [{"index": 0, "embedding": [0, 0]}]}',
        b'{"data": [{"index": [], "embedding": [1.0]}]}', b'{"data": [{"index": 0, "embedding": ["x"]}]}',
        b'{"data": [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}]}',
        b'{"data": ' + b"[" * 200_000,
    ],
)  # fmt: skip
def test_what_is_no_answer_is_refused(body):
    with pytest.raises(ValueError):
        unit(read_answer(body, 1), 1)


def test_vectors_of_another_length_are_refused():
    assert unit(rows(2, 8), 2, 8).shape == (2, 8)
    with pytest.raises(ValueError, match="8 dimensions instead of 9"):
        unit(rows(2, 8), 2, 9)


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"embeddings": "on"}, 'must be "embedded"'),
        ({"embeddings": "ftp://host/v1", "embeddings_model": "m"}, "base URL"),
        ({"embeddings": "http:///v1", "embeddings_model": "m"}, "base URL"),
        ({"embeddings": "http://host:x/v1", "embeddings_model": "m"}, "cannot be read|not a URL"),
        ({"embeddings": "http://host/v1?key=k", "embeddings_model": "m"}, "base URL"),
        ({"embeddings": "http://user:secret@host/v1", "embeddings_model": "m"}, "HUBNET_EMBEDDINGS_KEY_FILE"),
        ({"embeddings": "http://host/v1"}, "HUBNET_EMBEDDINGS_MODEL"),
        ({"embeddings_timeout_s": 0}, "greater than 0"),
    ],
)
def test_settings_that_cannot_work_say_what_to_set(changes, hint):
    with pytest.raises(ValueError, match=hint):
        settings(**changes)


def test_settings_take_fields_from_the_environment(monkeypatch):
    monkeypatch.setenv("HUBNET_EMBEDDINGS_QUERY_FIELDS", '{"input_type": "query"}')
    assert settings().embeddings_query_fields == {"input_type": "query"}
    assert settings().embeddings == "embedded"
