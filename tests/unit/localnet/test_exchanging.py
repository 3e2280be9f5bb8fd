"""`hubnet import hsds --dry-run` needs no network; an export's folder reads as what was written."""

import json

import pytest
from common.copies import content_hash
from hsds import Defaults, Given, write_catalogue
from localnet import directories
from localnet.cli import app
from localnet.trouble import USAGE, Trouble
from typer.testing import CliRunner

from tests.unit.hsds.samples import OHANA, Said, document, offering, organization, provider, service


def dry(*words):
    return CliRunner().invoke(app, ["import", "hsds", *map(str, words), "--dry-run"])


def test_a_directory_full_of_dirt_is_told_and_fails():
    done = dry(OHANA, "--json")
    said = json.loads(done.stdout)
    assert (done.exit_code, said["read"], said["rows"]) == (1, 0, [])
    assert {"missing-credit-code", "orphan", "bad-date", "outside-region"} <= {
        one["rule"] for one in said["dirt"]
    }
    shown = dry(OHANA)
    assert (
        shown.exit_code == 1
        and "missing-credit" in shown.stdout
        and "0 services can be loaded" in shown.stdout
    )


def test_a_clean_document_passes(tmp_path):
    path = tmp_path / "catalogue.json"
    path.write_bytes(document(organization(), service()))
    done = dry(path)
    assert (done.exit_code, "1 services can be loaded, 0 errors" in done.stdout) == (0, True)


def test_a_row_without_a_window_is_refused_by_its_number(tmp_path):
    path = tmp_path / "catalogue.json"
    path.write_bytes(document(organization(division="150000"), service()))
    done = dry(path, "--json")
    (row,) = json.loads(done.stdout)["rows"]
    assert (done.exit_code, row["row"], row["id"], row["rule"]) == (1, 1, "s1", "no-platform")
    assert dry(path, "--node", "baotou").exit_code == 0


@pytest.mark.parametrize(
    "words", [["--category", "colours"], ["--division", "999999"], ["--node", "atlantis"]]
)
def test_a_wrong_word_of_the_command_is_told(tmp_path, words):
    path = tmp_path / "catalogue.json"
    path.write_bytes(document(organization(), service()))
    done = dry(path, *words)
    assert isinstance(done.exception, Trouble) and done.exception.code == USAGE


def test_what_is_no_directory_is_told(tmp_path):
    for path in (tmp_path / "absent", tmp_path):
        done = dry(path)
        assert isinstance(done.exception, Trouble) and str(path) in done.exception.wrong[1]


def test_a_folder_holds_all_of_an_export(tmp_path):
    said = [
        Said.of(provider(), "baotou"),
        Said.of(offering(lead_days=3, attributes={"a": [1, None]}, service_area=("1502", "1501")), "baotou"),
        Said.of(offering(id="00000000-0000-4000-8000-000000000009", summary="第一行\n\"引号\",逗号", state="retired"), "baotou"),
    ]  # fmt: skip
    folder = directories.Folder(tmp_path / "out")
    for chunk in write_catalogue(said):
        folder.feed(chunk)
    folder.feed(b"", last=True)
    folder.close()
    assert folder.counts["service"] == 2 and folder.counts["location"] == 1
    read = [one for one in directories.read(folder.path, Defaults()) if isinstance(one, Given)]
    assert [content_hash(one.data) for one in read] == [content_hash(one.data) for one in said]
    assert [(one.platform, one.deleted) for one in read] == [
        ("baotou", False),
        ("baotou", False),
        ("baotou", True),
    ]
    with pytest.raises(Trouble):
        directories.Folder(folder.path)
