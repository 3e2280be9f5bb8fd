"""What the tree may hold."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOP = {"services", "libs", "deploy", "tests", "bench", "docs"}
HOSTS = re.compile(r"py[p]i\.org|pythonhosted[.]|npm[j]s\.|deb\.deb[i]an|/wo[r]k/|\.\./sha[r]ed")


def tracked():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [Path(name) for name in listing.decode().split("\0") if name]


def test_the_top_level_holds_the_six_folders_and_root_files():
    folders = {path.parts[0] for path in tracked() if len(path.parts) > 1}
    assert folders - TOP - {".ci"} == set()


def test_no_download_address_and_no_path_of_a_machine():
    found = []
    for path in tracked():
        if (
            path.suffix in {".py", ".md", ".toml", ".lock", ".yaml", ".yml", ".in", ""}
            and (ROOT / path).is_file()
        ):
            text = (ROOT / path).read_text(encoding="utf-8", errors="replace")
            found += [f"{path}: {match.group()}" for match in HOSTS.finditer(text)]
    assert found == []


def test_the_lock_has_a_hash_for_every_package_and_no_index():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert not [line for line in lines if line.startswith("--") or "://" in line]
    packages = [number for number, line in enumerate(lines) if re.match(r"^[a-z0-9]", line)]
    assert len(packages) > 50
    bare = [lines[number] for number in packages if "--hash=sha256:" not in lines[number + 1]]
    assert bare == []
