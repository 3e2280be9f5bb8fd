"""What one line of a catalogue leads to, without a database."""

import json
from uuid import UUID

import pytest
from common.copies import content_hash
from common.errors import Invalid
from hub.changes import lines
from hub.changes.domain import Lines
from hub.changes.lines import Held, Read, Rejected, Row
from hub.pulls import domain as pulls
from hub.snapshots import domain as snapshots
from hypothesis import given, strategies

ID, OTHER = UUID(int=1), UUID(int=2)
DATA = {"name": "示例", "credit_code": "91150200MA0N0000X1", "division": "150200", "state": "active"}


def said(**line):
    return json.dumps({"noun": "provider", "id": str(ID), "version": 1, "data": DATA} | line)


def row(number=1, held=None, **line):
    found = lines.read(number, said(**line))
    assert isinstance(found, Read), found
    made = lines.completed(found, held, 1)
    assert isinstance(made, Row), made
    return made


def stored(made):
    """The columns of a row as the database reads them."""
    cells = [cell.replace("\\\\", "\\") for cell in made.stored.split("\t")]
    return dict(zip(lines.STORED, cells, strict=True))


def body_of(made):
    return json.loads(stored(made)["body"])


def test_the_hash_is_that_of_copies():
    made = row(data=DATA | {"profile": "一\n“二”\\ \U0001f600", "qualifications": [{"name": "CMA"}]})
    assert made.content_hash == content_hash(body_of(made))


@given(strategies.text(max_size=60))
def test_any_text_is_taken_whole_or_refused(text):
    found = lines.read(1, json.dumps({"noun": "provider", "id": str(ID), "data": DATA | {"profile": text}}))
    if isinstance(found, Read):
        made = lines.completed(found, None, 1)
        assert isinstance(made, Row)
        made.stored.encode()
        assert "\0" not in body_of(made)["profile"]
    else:
        assert found.field == "data.profile"


def test_a_wrong_line_still_names_its_record():
    bad = lines.read(3, said(data=DATA | {"name": ""}))
    assert isinstance(bad, Rejected)
    assert (bad.line, bad.noun, bad.id, bad.field) == (3, "provider", ID, "data.name")
    head = lines.read(3, said(version=0))
    assert isinstance(head, Rejected)
    assert (head.id, head.field) == (ID, "version")


@pytest.mark.parametrize("name, value", [("id", str(OTHER)), ("version", 2), ("epoch", 3)])
def test_the_state_speaks_of_the_record_of_its_line(name, value):
    found = lines.read(1, said(epoch=1, data=DATA | {name: value}))
    assert isinstance(found, Rejected)
    assert (found.rule, found.field) == ("line-and-data-differ", f"data.{name}")


def test_versions_are_counted_from_what_is_held():
    first = row(version=None)
    assert (first.epoch, first.version, first.based) == (1, 1, (0, 0))
    held = Held(2, 7, body_of(first))
    same = row(held=held, version=None)
    assert (same.epoch, same.version, same.based) == (2, 7, (2, 7))
    new = row(held=held, version=None, data=DATA | {"name": "示例二"})
    assert (new.epoch, new.version, new.based) == (2, 8, (2, 7))


def test_a_tombstone_of_what_is_held_keeps_its_content():
    held = Held(1, 4, body_of(row(version=4)))
    gone = lines.removed(9, "provider", ID, held)
    body = body_of(gone)
    assert (gone.version, stored(gone)["deleted"], body["state"], body["name"]) == (5, "t", "retired", "示例")


@given(strategies.lists(strategies.tuples(strategies.integers(1, 4), strategies.booleans()), max_size=8))
def test_of_many_lines_of_a_record_the_newest_counts(versions):
    judge = Lines()
    made = [
        row(number, version=version, data=DATA | {"name": "示例" if plain else "另一"})
        for number, (version, plain) in enumerate(versions, 1)
    ]
    judge.take(made)
    ready, judged = judge.taken()
    staged = [found.version for role, found in ready if role in ("state", "next")]
    assert staged == sorted(set(staged))
    assert (staged[-1:] or [None])[0] == max((version for version, _ in versions), default=None)
    assert len(ready) + len(judged) == len(versions)


@pytest.mark.parametrize("held, free", [(0, 10), (50, 10), (100, 10), (110, 11), (1000, 100)])
def test_how_much_may_go_without_a_word(held, free):
    assert snapshots.allowance(held) == free


@pytest.mark.parametrize(
    "url", ["https://window.example/feed", "http://127.0.0.1:8000/x", "http://localhost/x", "http://[::1]/x"]
)
def test_addresses_the_hub_may_ask(url):
    pulls.check(url)


@pytest.mark.parametrize(
    "url", ["http://192.168.0.1/", "https://a:b@x.example/", "https://x.example/#a", "//x", "", "https://"]
)
def test_addresses_the_hub_may_not_ask(url):
    with pytest.raises(Invalid):
        pulls.check(url)


@pytest.mark.parametrize("form", ["ndjson", "csv"])
@pytest.mark.parametrize("parts", [2, 3])
def test_a_file_read_in_parts_is_the_file(form, parts, tmp_path, monkeypatch):
    from hub.snapshots import reading

    from bench import snapshot_import as made_up

    monkeypatch.setattr(reading, "CHUNK", 7)
    path = tmp_path / "file"
    (made_up.write_ndjson if form == "ndjson" else made_up.write_csv)(path, 100, 1)

    def read(part, parts):
        with path.open("rb") as file:
            return list(reading.chunks(file, form, "hohhot", 1, part, parts))

    whole = read(0, 1)
    in_parts = [read(part, parts) for part in range(parts)]
    assert [in_parts[number % parts][number // parts] for number in range(len(whole))] == whole
    assert sum(map(len, whole)) == 102
    assert sum(map(len, in_parts)) == len(whole)
