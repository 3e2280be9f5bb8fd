"""`hubnet match train` on a file of cases: what it says, writes and exits with."""

import json

import pytest
import typer
from localnet.commands import learning
from localnet.trouble import USAGE, Trouble
from matchmaking.matching import weights
from matchmaking.rankings import documents
from typer.testing import CliRunner

from tests.unit.matchmaking.synthetic import cases

BEFORE = documents.shares(weights.current())
match = typer.Typer()
match.command("train")(learning.train)
match.callback()(lambda: None)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments, lines=()):
        (tmp_path / "cases.ndjson").write_text("\n".join(lines), encoding="utf-8")
        return CliRunner().invoke(match, ["train", "--cases", "cases.ndjson", *arguments])

    return invoke


def lines(count, truth):
    return [case.model_dump_json() for case in cases(count, BEFORE, truth)]


def test_a_winning_candidate_is_written_and_told(run, tmp_path):
    found = run("--out", "new.json", lines=lines(450, {"relevance": 0.55, "reputation": 0.45}))
    assert found.exit_code == 0, found.output
    written = documents.parsed(json.loads((tmp_path / "new.json").read_text(encoding="utf-8")))
    documents.check_guards(written, weights.current())
    assert written.version in found.output and "it wins against" in found.output
    assert "口碑 reputation" in found.output


def test_chance_does_not_win_and_says_so(run):
    found = run(lines=lines(400, None))
    assert found.exit_code == learning.NOT_BETTER
    assert "does not win" in found.output and "没有胜过" in found.output


def test_few_cases_do_not_win_and_say_why(run):
    for some in ([], lines(20, {"relevance": 0.55, "reputation": 0.45})):
        found = run(lines=some)
        assert found.exit_code == learning.NOT_BETTER and "fewer than 100 cases" in found.output


def test_for_machines_there_is_one_json_value(run):
    found = run("--json", lines=lines(30, None))
    told = json.loads(found.stdout)
    assert found.exit_code == learning.NOT_BETTER
    assert told["evaluation"]["wins"] is False and told["submitted"] is None and told["out"] == "weights.json"


@pytest.mark.parametrize("line", ["{}", "no json", '{"owner": "hohhot"}'])
def test_a_bad_line_is_named(run, line):
    found = run(lines=[*lines(1, None), line])
    assert isinstance(found.exception, Trouble) and found.exception.code == USAGE
    assert "line 2" in found.exception.wrong[1]


def test_present_weights_may_come_from_a_file(run, tmp_path):
    here = tmp_path / "now.json"
    document = documents.document(weights.current()) | {"version": "2026-5"}
    here.write_text(json.dumps(document), encoding="utf-8")
    found = run("--current", str(here), "--json", lines=lines(30, None))
    assert json.loads(found.stdout)["evaluation"]["against"] == "2026-5"
    here.write_text("[1]", encoding="utf-8")
    assert isinstance(run("--current", str(here)).exception, Trouble)
    assert isinstance(run("--current", "missing.json").exception, Trouble)
