from datetime import datetime
from typing import Annotated, Any, Literal

from common.fields import AreaPrefix, Line, NodeId, Text
from common.http import In, Out
from pydantic import ConfigDict, Field, StringConstraints

from hub.members.domain import Contact, DeletionPolicy, Member, State, Via

FeedUrl = Annotated[
    str, StringConstraints(max_length=500, pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[\x21-\x7e]*)?$")
]
Places = Annotated[tuple[AreaPrefix, ...], Field(min_length=1, max_length=50)]
Contacts = Annotated[tuple[Contact, ...], Field(max_length=5)]
CONTACT: Any = {"name": "示例联系人", "email": "ops@example.org"}


class MemberIn(In):
    """A platform that wants to belong to the network.

    Shape: `divisions` are prefixes of GB/T 2260; a window's may lie inside another window's, never the
    reverse. `deletion_policy` tombstone: it says every deletion; absence: what a full snapshot lacks is gone.
    """

    id: NodeId
    kind: Literal["window", "cluster"]
    zh: Line
    en: Line
    divisions: Places
    deletion_policy: DeletionPolicy = "tombstone"
    contacts: Contacts = ()
    feed_url: FeedUrl | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "example-window", "kind": "window", "zh": "示例窗口平台", "en": "Example window",
                    "divisions": ["150123"], "deletion_policy": "tombstone", "contacts": [CONTACT],
                }
            ]
        }
    )  # fmt: skip


class MemberEdit(In):
    """What may change of a platform; what is not given stays."""

    zh: Line | None = None
    en: Line | None = None
    deletion_policy: DeletionPolicy | None = None
    contacts: Contacts | None = None
    feed_url: FeedUrl | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"contacts": [CONTACT]}]})


class ReasonIn(In):
    """Why; its staff and operators read it."""

    reason: Annotated[Text, StringConstraints(max_length=500)]

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "目录中出现异常价格，待核实"}]})


class KeyIn(In):
    """A new key. The old one works on for `overlap_hours`, so that the platform can change over."""

    overlap_hours: Annotated[int, Field(ge=0, le=168)] = 24

    model_config = ConfigDict(json_schema_extra={"examples": [{"overlap_hours": 24}]})


class MemberOut(Out):
    """A platform, as its staff and operators see it."""

    id: str
    kind: str
    zh: str
    en: str
    divisions: tuple[str, ...]
    deletion_policy: DeletionPolicy
    contacts: tuple[Contact, ...]
    feed_url: str | None
    via: Via
    state: State
    since: datetime
    reason: str | None
    epoch: int
    version: int
    created_at: datetime
    next_zh: str
    next_en: str

    @classmethod
    def of(cls, member: Member) -> "MemberOut":
        zh, en = NEXT[member.state]
        return cls(**member.model_dump(), epoch=member.epoch, next_zh=zh, next_en=en)


class KeyMade(Out):
    """The one answer that holds the secret; sign in with it at /oauth/token, grant client_credentials."""

    node: str
    client_id: str
    client_secret: str
    scope: str = "platform"


NEXT: dict[State, tuple[str, str]] = {
    "registered": ("领取密钥：POST /v1/nodes/{id}/keys", "get a key: POST /v1/nodes/{id}/keys"),
    "keyed": (
        "运行一致性测试：POST /v1/nodes/{id}/conformance",
        "run the suite: POST /v1/nodes/{id}/conformance",
    ),
    "conformance": (
        "完成测试并读取报告：GET /v1/nodes/{id}/conformance/{number}",
        "finish the run and read its report: GET /v1/nodes/{id}/conformance/{number}",
    ),
    "probation": (
        "推送全部目录；由运营人员转为正式：POST /v1/nodes/{id}/activation",
        "push the whole catalogue; an operator activates: POST /v1/nodes/{id}/activation",
    ),
    "active": ("无需操作", "nothing to do"),
    "quarantined": (
        "看 reason，保留变更；由运营人员解除：POST /v1/nodes/{id}/release",
        "see `reason`, keep your changes; an operator releases: POST /v1/nodes/{id}/release",
    ),
    "retired": (
        "已退出，不能恢复；如需再次接入请用新编号登记",
        "it has left; to come back, register under a new id",
    ),
}
