"""The rules of accounts. A person is known by an opaque subject; the username is only for signing in."""

import re
import unicodedata
from datetime import datetime
from typing import Literal
from uuid import UUID

from common.contracts.envelope import Contract
from common.errors import Conflict, Invalid
from common.node import Topology

Role = Literal["sme", "agency", "window_staff", "cluster_staff", "operator", "department"]
# Whoever registers alone may only be a party, never staff.
OPEN_ROLES = ("sme", "agency")
# The kinds of platform that staff of a role, or a machine that is a platform, must belong to.
HOME_OF: dict[str, tuple[str, ...]] = {
    "window_staff": ("window",),
    "cluster_staff": ("cluster",),
    "platform": ("hub", "window", "cluster", "matchmaking"),
}
# Names that would pass for the network itself.
RESERVED = re.compile(r"^(operator|admin(istrator)?|root|system|hub(net)?|platform)([._-].*)?$")
_NAME = re.compile(r"^\w[\w.@-]{2,63}$")
PASSWORD_MIN = 10


class User(Contract):
    """A person. `id` is the subject of their tokens; `roles` and `home` go into them."""

    id: UUID
    username: str
    username_key: str
    password_hash: str
    roles: tuple[Role, ...]
    home: str | None = None
    version: int = 1
    created_at: datetime
    deactivated_at: datetime | None = None

    @property
    def active(self) -> bool:
        return self.deactivated_at is None


def key(username: str) -> str:
    """What two usernames that look or compare alike have in common."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold())


def check_username(username: str, *, open_to_all: bool) -> str:
    """The username as it is kept.

    Raises: Invalid.
    """
    username = unicodedata.normalize("NFKC", username).strip()
    if not _NAME.match(username):
        raise Invalid(
            "username-form",
            zh="用户名须为 3–64 个字母、汉字、数字或 . _ - @，并以字母、汉字或数字开头；请修改",
            en="a username has 3 to 64 letters, digits or . _ - @ and starts with a letter or digit; change it",
            field="username",
        )
    if open_to_all and RESERVED.match(key(username)):
        raise Invalid(
            "username-reserved",
            zh="该用户名为平台保留；请换一个",
            en="this username is reserved for the network; take another",
            field="username",
        )
    return username


def check_password(password: str, username: str, *, field: str = "password") -> None:
    """Raises: Invalid. Length and not the name: what guessing starts with (ASVS 5.0 6.2)."""
    if len(password) < PASSWORD_MIN:
        raise Invalid(
            "password-short",
            zh=f"密码至少 {PASSWORD_MIN} 个字符；请加长",
            en=f"a password needs at least {PASSWORD_MIN} characters; make it longer",
            field=field,
        )
    if key(username) in (key(password), key(password)[::-1]) or len(set(password)) == 1:
        raise Invalid(
            "password-guessable",
            zh="密码不得与用户名相同或由单一字符组成；请更换",
            en="a password must not be the username or one character repeated; take another",
            field=field,
        )


def check_home(roles: tuple[str, ...], home: str | None, network: Topology) -> None:
    """Raises: Invalid when the platform is unknown, missing for staff, or of the wrong kind."""
    found = next((node for node in network.nodes if node.id == home), None)
    if home is not None and found is None:
        raise Invalid(
            "unknown-platform",
            zh="没有这个平台；平台编号见 /v1/nodes",
            en="there is no such platform; their ids are at /v1/nodes",
            field="home",
        )
    for role in roles:
        kinds = HOME_OF.get(role)
        if kinds and (found is None or found.kind not in kinds):
            raise Invalid(
                "home-needed",
                zh=f"角色 {role} 须指定所属平台（{'、'.join(kinds)}）",
                en=f"the role {role} needs a home platform of kind {', '.join(kinds)}",
                field="home",
            )


def deactivate(user: User, *, by: str, at: datetime) -> User:
    """Raises: Conflict when it is already, or when it is oneself: somebody must be left to undo it."""
    if not user.active:
        raise Conflict(
            "already-deactivated", zh="该用户已停用；无需重复操作", en="the user is already deactivated"
        )
    if str(user.id) == by:
        raise Conflict(
            "own-account",
            zh="不能停用自己的账号；请由另一位运营人员操作",
            en="you cannot deactivate yourself; ask another operator",
        )
    return user.model_copy(update={"deactivated_at": at, "version": user.version + 1})


def reactivate(user: User) -> User:
    """Raises: Conflict when it is active."""
    if user.active:
        raise Conflict("already-active", zh="该用户处于启用状态", en="the user is active")
    return user.model_copy(update={"deactivated_at": None, "version": user.version + 1})
