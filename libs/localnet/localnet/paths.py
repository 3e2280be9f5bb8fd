"""Where a network keeps its things on disk."""

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from localnet.trouble import USAGE, Trouble

TOPOLOGY = Path("deploy/topology.yaml")
# sun_path has 108 bytes on Linux and 104 on macOS, the final NUL included.
LONGEST_SOCKET_BYTES = 103


@dataclass(frozen=True)
class Folder:
    """The data directory of one network."""

    root: Path

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def nkeys(self) -> Path:
        return self.secrets / "nkeys"

    @property
    def databases(self) -> Path:
        return self.secrets / "databases"

    @property
    def certificates(self) -> Path:
        return self.secrets / "tls"

    @property
    def users(self) -> Path:
        return self.secrets / "users.json"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def nats(self) -> Path:
        return self.root / "nats"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def lock(self) -> Path:
        return self.run / "lock"

    @property
    def children(self) -> Path:
        """Pids of the running children: what a supervisor that died has left behind."""
        return self.run / "children.json"

    @property
    def record(self) -> Path:
        """Choices of the first start that later commands need."""
        return self.root / "network.json"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    @property
    def control(self) -> Path:
        """The supervisor's socket: beside the data, or in a short private folder if that path is too long."""
        near = self.run / "control.sock"
        if len(os.fsencode(near)) <= LONGEST_SOCKET_BYTES:
            return near
        name = sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path("/tmp") / f"hubnet-{os.getuid()}" / f"{name}.sock"

    def make(self) -> "Folder":
        """Create what is missing; secrets and run are the owner's alone.

        Raises: Trouble when the disk refuses.
        """
        try:
            for folder in (self.root, self.nats, self.logs):
                folder.mkdir(parents=True, exist_ok=True)
            for private in (self.secrets, self.nkeys, self.databases, self.run):
                private.mkdir(mode=0o700, exist_ok=True)
                private.chmod(0o700)
            if self.control.parent != self.run:
                private_folder(self.control.parent)
        except OSError as error:
            raise refused_by_disk(self.root, error) from error
        return self

    def exists(self) -> bool:
        return self.record.exists() or self.secrets.is_dir()


def private_folder(folder: Path) -> None:
    """A 0700 folder in a public place, refused when somebody else made it first."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(13, "made by somebody else, or open to others", str(folder))


def refused_by_disk(path: Path, error: OSError) -> Trouble:
    said = error.strerror or str(error)
    where = error.filename or str(path)
    return Trouble(
        (f"不能写入 {where}：{said}", f"cannot write {where}: {said}"),
        ("数据目录须可写且有空间", "the data folder must be writable and have room"),
        (
            "换一个目录或清理磁盘：hubnet --data-dir …",
            "choose another folder or free the disk: hubnet --data-dir …",
        ),
    )


def find_topology(given: Path | None = None) -> Path:
    """The list of nodes: as given, from HUBNET_TOPOLOGY, above the current folder, or beside the source.

    Raises: Trouble when there is none.
    """
    named = given or (Path(os.environ["HUBNET_TOPOLOGY"]) if os.environ.get("HUBNET_TOPOLOGY") else None)
    if named:
        candidates = [named]
    else:
        here = Path.cwd()
        candidates = [
            folder / TOPOLOGY for folder in (here, *here.parents, *Path(__file__).resolve().parents)
        ]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.resolve()
    raise Trouble(
        (f"找不到节点清单 {named or TOPOLOGY}", f"the list of nodes {named or TOPOLOGY} is not there"),
        ("网络由一份清单定义", "one list defines the network"),
        ("在项目目录内运行，或 --topology 指定", "run inside the project, or name it: --topology FILE"),
        USAGE,
    )


def find_folder(given: Path | None, topology: Path | None = None) -> Folder:
    """The data directory: as given, from HUBNET_DATA_DIR, else `.hubnet` in the project or the current folder."""
    named = given or (Path(os.environ["HUBNET_DATA_DIR"]) if os.environ.get("HUBNET_DATA_DIR") else None)
    if named is None:
        in_project = topology is not None and topology.parent.name == TOPOLOGY.parent.name
        named = (topology.parent.parent if topology and in_project else Path.cwd()) / ".hubnet"
    return Folder(named.expanduser().absolute())
