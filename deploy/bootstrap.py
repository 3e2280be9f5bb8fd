"""Fetch uv into .tools, with nothing but the Python that is there.

Uses the uv on the PATH, else pip, else a throw-away virtual environment's pip. pip's own settings
(a mirror, a certificate) are the user's and are left to apply.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOOLS = Path(__file__).parent.parent / ".tools"
TARGET = TOOLS / "uv"
MEND = (
    "Hubnet needs pip once, to fetch its tools; this Python has none.\n"
    "缺少 pip；请先安装后重试。Mend: apt-get install python3-pip (Debian, Ubuntu), then repeat."
)


def runs(*command: str) -> bool:
    return (
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
        == 0
    )


def main() -> int:
    if sys.version_info < (3, 11):
        print(f"Hubnet needs Python 3.11 or newer; this is {sys.version.split()[0]}.", file=sys.stderr)
        print("需要 Python 3.11 以上。Mend: make PYTHON=/path/to/python3.11 ...", file=sys.stderr)
        return 1
    TOOLS.mkdir(exist_ok=True)
    found = shutil.which("uv")
    if found:
        TARGET.symlink_to(found)
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        python = sys.executable
        if not runs(python, "-m", "pip", "--version"):
            if not runs(python, "-m", "venv", scratch):
                print(MEND, file=sys.stderr)
                return 1
            python = f"{scratch}/bin/python"
        folder = TOOLS / "packages"
        # --target: Debian's Python is externally managed, and this leaves it alone.
        done = subprocess.run(
            [
                python,
                "-m",
                "pip",
                "install",
                "-q",
                "--no-warn-script-location",
                "--root-user-action",
                "ignore",
                "--upgrade",
                "--target",
                folder,
                "uv",
            ],
            check=False,
        )
        if done.returncode:
            print(
                "pip could not fetch uv; check the network or pip's mirror. 无法下载 uv，请检查网络或 pip 镜像。",
                file=sys.stderr,
            )
            return done.returncode
    TARGET.symlink_to("packages/bin/uv")
    return 0


if __name__ == "__main__":
    sys.exit(main())
