"""The example users' passwords: generated here, kept beside the other secrets, never printed."""

import json
import os
import secrets
from pathlib import Path

from localnet.paths import refused_by_disk
from localnet.trouble import Trouble


class Passwords:
    """A file {user: password} with mode 0600. Users registered by others are not in it."""

    def __init__(self, path: Path):
        self.path = path
        self.known = self._read()

    def of(self, user: str) -> str:
        """Raises: Trouble when it is not kept here."""
        if user not in self.known:
            raise Trouble(
                (f"没有保存 {user} 的密码", f"the password of {user} is not kept here"),
                (
                    f"示例用户的密码在 {self.path}",
                    f"the example users' passwords are in {self.path}",
                ),
                ("先 hubnet load example", "hubnet load example first"),
            )
        return self.known[user]

    def make(self, users: list[str]) -> set[str]:
        """Generate and keep what is missing; the users it was missing for.

        Shape: kept before the account is opened, so that an interrupted run can go on.
        """
        new = {user: secrets.token_urlsafe(18) for user in users if user not in self.known}
        if new:
            self.known = self._read() | self.known | new
            self._write()
        return set(new)

    def _read(self) -> dict[str, str]:
        try:
            return json.loads(self.path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}

    def _write(self) -> None:
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(json.dumps(self.known, ensure_ascii=False, indent=1) + "\n")
            draft.replace(self.path)
        except OSError as error:
            raise refused_by_disk(self.path, error) from error
