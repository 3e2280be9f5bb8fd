"""What the documents tell people to do exists."""

import re
from pathlib import Path

import pytest
from localnet.cli import app
from typer.main import get_command

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "deploy" / "README.md"]
COMMANDS = get_command(app).commands
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def code(document):
    """Fenced blocks and inline code."""
    text = document.read_text(encoding="utf-8")
    text = re.sub(r"docker run[^`\n]*", "", text)  # there `hubnet` is the image
    return re.findall(r"```(?:sh|bash)?\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    links = re.findall(r"\]\(([^)#\s]+)\)", document.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_and_commands_exist(document):
    said = "\n".join(code(document))
    assert set(re.findall(r"\bmake ([a-z]+)", said)) <= TARGETS
    used = set(re.findall(r"\bhubnet ([a-z][a-z-]*)\b", said))
    assert used <= set(COMMANDS), f"the command has no {sorted(used - set(COMMANDS))}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_options_exist(document):
    for block in code(document):
        for name, rest in re.findall(r"\bhubnet ([a-z][a-z-]*)([^\n`|]*)", block):
            command, words = COMMANDS[name], rest.split()
            while words and (below := getattr(command, "commands", None)):
                assert words[0] in below, f"hubnet {name} has no {words[0]}"
                command, *words = below[words[0]], *words[1:]
            known = {option for parameter in command.params for option in parameter.opts}
            used = set(re.findall(r"(?<!\S)\[?(--[a-z-]+)", rest))
            assert used <= known, f"hubnet {name} has no {sorted(used - known)}"


def test_the_readme_tells_the_two_commands():
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert ["make demo"] in [block.split("\n")[:-1] for block in blocks]
    assert ["make test"] in [block.split("\n")[:-1] for block in blocks]
