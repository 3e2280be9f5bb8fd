"""The data folder: where things lie, who may read them, and what is refused."""

import os
import socket
import stat
from pathlib import Path

import pytest
from localnet import preflight
from localnet.paths import Folder, find_folder, find_topology
from localnet.secrets import Secrets, keep, read
from localnet.trouble import Trouble


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "数据 folder").make()


def test_secrets_and_run_are_the_owners_alone(folder: Folder) -> None:
    assert {mode(path) for path in (folder.secrets, folder.nkeys, folder.run)} == {0o700}


def test_secret_files_are_0600_whatever_the_umask(folder: Folder) -> None:
    before = os.umask(0)
    try:
        secrets = Secrets(folder).make(["hub", "baotou-rare-earth"])
    finally:
        os.umask(before)
    files = [path for path in folder.secrets.rglob("*") if path.is_file()]
    assert secrets.seed_file("baotou-rare-earth") in files
    assert secrets.seed_file("sys") in files
    assert {mode(path) for path in files} == {0o600}


def test_secrets_are_never_overwritten(folder: Folder) -> None:
    secrets = Secrets(folder).make(["hub"])
    before = {path: path.read_bytes() for path in folder.secrets.rglob("*") if path.is_file()}
    secrets.make(["hub", "hohhot"])
    assert before.items() <= {p: p.read_bytes() for p in folder.secrets.rglob("*") if p.is_file()}.items()
    assert len({read(path) for path in before}) == len(before)


def test_a_secret_left_open_is_closed(folder: Folder) -> None:
    path = folder.secrets / "pepper"
    keep(path, lambda: "first")
    path.chmod(0o644)
    keep(path, lambda: "second")
    assert (mode(path), read(path)) == (0o600, "first")


def test_a_damaged_key_is_named(folder: Folder) -> None:
    secrets = Secrets(folder).make(["hub"])
    secrets.seed_file("hub").write_text("not a seed")
    with pytest.raises(Trouble, match=r"hub\.nk"):
        secrets.public_key("hub")


def test_public_keys_differ_and_are_users(folder: Folder) -> None:
    secrets = Secrets(folder).make(["hub", "hohhot"])
    keys = [secrets.public_key(name) for name in ("hub", "hohhot", "sys")]
    assert len(set(keys)) == 3
    assert all(key.startswith("U") and len(key) == 56 for key in keys)


def test_the_control_socket_fits_however_long_the_path(tmp_path: Path) -> None:
    deep = Folder(tmp_path / "内蒙古" / ("x" * 120))
    assert len(os.fsencode(deep.control)) <= 103
    assert Folder(tmp_path / "内蒙古" / ("y" * 120)).control != deep.control
    assert Folder(Path("/d/.hubnet")).control == Path("/d/.hubnet/run/control.sock")


def test_where_the_data_folder_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUBNET_DATA_DIR", raising=False)
    monkeypatch.delenv("HUBNET_TOPOLOGY", raising=False)
    project = tmp_path / "项目 one"
    (project / "deploy").mkdir(parents=True)
    (project / "deploy/topology.yaml").write_text("nodes: []")
    (project / "services").mkdir()
    monkeypatch.chdir(project / "services")
    topology = find_topology()
    assert find_folder(None, topology).root == project / ".hubnet"
    monkeypatch.setenv("HUBNET_DATA_DIR", str(tmp_path / "elsewhere"))
    assert find_folder(None, topology).root == tmp_path / "elsewhere"
    assert find_folder(tmp_path / "named", topology).root == tmp_path / "named"


def test_a_missing_topology_names_the_option(tmp_path: Path) -> None:
    with pytest.raises(Trouble) as caught:
        find_topology(tmp_path / "none.yaml")
    assert "--topology" in caught.value.mend[1]


def test_one_folder_runs_once(folder: Folder) -> None:
    assert not preflight.held(folder)
    lock = preflight.take_lock(folder)
    try:
        assert preflight.held(folder)
        with pytest.raises(Trouble, match=f"already running .pid {os.getpid()}"):
            preflight.take_lock(folder)
    finally:
        os.close(lock)
    assert not preflight.held(folder)


def test_a_listening_port_is_not_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert not preflight.free(taken.getsockname()[1])


def test_trouble_survives_the_way_from_process_to_process() -> None:
    told = Trouble(("错", "wrong"), ("规则", "rule"), ("办法", "mend"), 2)
    again = Trouble.from_json(told.as_json())
    assert (again.wrong, again.rule, again.mend, again.code) == (told.wrong, told.rule, told.mend, told.code)
