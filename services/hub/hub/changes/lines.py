"""One line of what a platform says of its catalogue: read, checked, and made into the state it leads to.

A line is right or wrong by itself; nothing here knows the others.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from common import rules
from common.contracts.offerings import OfferingAnnounced
from common.contracts.providers import ProviderAnnounced
from common.errors import Refusal
from common.fields import OptionalText, Version
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from hub.catalogue import domain as catalogue

Noun = Literal["provider", "offering"]
# Of one line as it is stored: what the bus carries, with room for the envelope around it.
MAX_BYTES = 262_144 - 2048
# A line as it is sent may be indented and escaped.
MAX_LINE = 4 * 262_144
EXAMPLE = """\
{"noun": "provider", "id": "5f0e3c1a-0a55-4f6e-9f61-0d7f5f1c2a01", "version": 1, "data": {"name": "示例·包头稀土检测中心", \
"credit_code": "91150203MA0N1A2B3G", "division": "150203", "example": true, "state": "active"}}
{"noun": "offering", "id": "5f0e3c1a-0a55-4f6e-9f61-0d7f5f1c2a02", "version": 1, "data": {\
"provider_id": "5f0e3c1a-0a55-4f6e-9f61-0d7f5f1c2a01", "provider_name": "示例·包头稀土检测中心", "kind": "service", \
"title": "稀土材料成分检测", "summary": "三日出报告。", "category": "testing.sampling", "division": "150203", \
"service_area": ["1502"], "price": {"from_cents": 60000, "to_cents": 90000, "unit": "sample"}, "example": true, \
"state": "published"}}
"""
_WRITER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class OfferingData(OfferingAnnounced):
    """An offering as a platform sends it: its free texts are held to the rules of all text."""

    id: UUID | None = None  # pyright: ignore[reportIncompatibleVariableOverride]
    epoch: Version | None = None  # pyright: ignore[reportIncompatibleVariableOverride]
    version: Version | None = None  # pyright: ignore[reportIncompatibleVariableOverride]
    summary: OptionalText  # pyright: ignore[reportIncompatibleVariableOverride]
    state_reason: OptionalText | None = None  # pyright: ignore[reportIncompatibleVariableOverride]


class ProviderData(ProviderAnnounced):
    """A provider as a platform sends it."""

    id: UUID | None = None  # pyright: ignore[reportIncompatibleVariableOverride]
    epoch: Version | None = None  # pyright: ignore[reportIncompatibleVariableOverride]
    version: Version | None = None  # pyright: ignore[reportIncompatibleVariableOverride]
    profile: OptionalText = ""  # pyright: ignore[reportIncompatibleVariableOverride]
    state_reason: OptionalText | None = None  # pyright: ignore[reportIncompatibleVariableOverride]


# What is held came by any way: it fits the contract, not always our rules of text.
HELD: dict[Noun, type[OfferingAnnounced] | type[ProviderAnnounced]] = {
    "offering": OfferingAnnounced,
    "provider": ProviderAnnounced,
}


class _Head(BaseModel):
    """Which record, in which version."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)
    id: UUID
    epoch: Version | None = None
    version: Version | None = None
    deleted: bool = False


class OfferingChange(_Head):
    """A line of an offering, with its whole public state."""

    noun: Literal["offering"]
    data: OfferingData | None = None


class ProviderChange(_Head):
    """A line of a provider, with its whole public state."""

    noun: Literal["provider"]
    data: ProviderData | None = None


Change = OfferingChange | ProviderChange
CHANGE: TypeAdapter[Change] = TypeAdapter(Annotated[Change, Field(discriminator="noun")])


@dataclass(frozen=True, slots=True)
class Read:
    """A line whose form is right. `state` is None for a deletion that says no more than that."""

    line: int
    noun: Noun
    id: UUID
    epoch: int | None
    version: int | None
    deleted: bool
    state: OfferingData | ProviderData | None

    @property
    def needs_held(self) -> bool:
        return self.version is None or self.state is None


@dataclass(frozen=True, slots=True)
class Held:
    """What the hub has of a record."""

    epoch: int
    version: int
    body: dict[str, Any]


class Row(NamedTuple):
    """The state a line leads to. `based` is what its version was counted from; `stored` the rest as COPY reads it."""

    line: int
    noun: Noun
    id: UUID
    epoch: int
    version: int
    based: tuple[int, int] | None
    content_hash: str
    stored: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that breaks a rule: which field, which rule, how to mend it."""

    line: int
    field: str | None
    rule: str
    zh: str
    en: str
    noun: Noun | None = None
    id: UUID | None = None


# A line on its way: what is known of it by itself, or all that there is to know.
Item = Read | Row | Rejected


class Wrong(Refusal):
    """A line that breaks a rule of ours."""


def canonical(body: Mapping[str, Any]) -> str:
    """The one way a state is written: its hash is the content hash."""
    return _WRITER.encode(body)


def read(line: int, text: bytes | str) -> Read | Rejected:
    """A line of NDJSON."""
    if len(text) > MAX_LINE:
        return _wrong(line, _too_large())
    try:
        change = CHANGE.validate_json(text)
    except ValidationError as error:
        return refused(line, error, *_named(text))
    return _checked(line, change)


def checked(line: int, said: Mapping[str, Any]) -> Read | Rejected:
    """A line that was no JSON of its own."""
    try:
        change = CHANGE.validate_python(said)
    except ValidationError as error:
        return refused(line, error, *_name(said))
    return _checked(line, change)


def _checked(line: int, change: Change) -> Read | Rejected:
    state = change.data
    try:
        if state is None:
            if not change.deleted:
                raise Wrong(
                    "data-needed",
                    zh="缺少 data；请给出记录的完整状态，或用 deleted: true 表示删除",
                    en="data is missing; give the record's whole state, or say deleted: true",
                    field="data",
                )
            return Read(line, change.noun, change.id, change.epoch, change.version, True, None)
        _agrees(change, state)
    except Wrong as error:
        return _wrong(line, error, change.noun, change.id)
    deleted = change.deleted or state.state == catalogue.RETIRED
    return Read(line, change.noun, change.id, change.epoch, change.version, deleted, state)


def _agrees(change: Change, state: OfferingData | ProviderData) -> None:
    """Raises: Wrong when the state speaks of another record or version than the line."""
    for name in ("id", "epoch", "version"):
        inside, outside = getattr(state, name), getattr(change, name)
        if inside is not None and outside is not None and inside != outside:
            raise Wrong(
                "line-and-data-differ",
                zh=f"data.{name} 与行首的 {name} 不一致；请保持一致或删去 data 中的",
                en=f"data.{name} differs from the line's {name}; make them agree, or leave it out of data",
                field=f"data.{name}",
            )


def _named(text: bytes | str) -> tuple[Noun | None, UUID | None]:
    """Which record a line speaks of that is wrong otherwise."""
    try:
        return _name(from_json(text))
    except ValueError:
        return None, None


def _name(said: Any) -> tuple[Noun | None, UUID | None]:
    try:
        noun = said["noun"]
        return (noun if noun in HELD else None), UUID(str(said["id"]))
    except (KeyError, TypeError, ValueError):
        return None, None


def completed(read: Read, held: Held | None, epoch: int) -> Row | Rejected:
    """The state the line leads to, on top of what is held where the line does not say all of it.

    Shape: `epoch` is the platform's own, for lines without one.
    """
    try:
        return _completed(read, held, epoch)
    except Wrong as error:
        return _wrong(read.line, error, read.noun, read.id)


def _completed(read: Read, held: Held | None, epoch: int) -> Row:
    if read.state is not None:
        body, state = read.state.model_dump(mode="json"), read.state
    elif held is not None:
        body, state = dict(held.body), HELD[read.noun].model_validate(held.body)
    else:
        raise Wrong(
            "unknown-tombstone",
            zh="枢纽没有该记录；若曾发布过，请随删除附上 data，以免旧版本重新出现；否则无需处理",
            en="the hub holds no such record; if it was ever sent, send its data with the deletion so that an"
            " older version cannot come back; else there is nothing to do",
            field="data",
        )
    if read.deleted:
        body["state"] = catalogue.RETIRED
    version, based = read.version, None
    epoch = read.epoch or epoch
    if version is None:
        epoch, version, based = _counted(body, held, epoch)
    body["id"], body["epoch"], body["version"] = str(read.id), epoch, version
    text = canonical(body)
    content_hash = _hash(text)
    stored = _stored(epoch, version, based, read.deleted, content_hash, text, searched(state, body["state"]))
    return Row(read.line, read.noun, read.id, epoch, version, based, content_hash, stored)


# The columns that `stored` fills, in this order; those before it are told apart in `repository.stage`.
STORED = (
    "epoch", "version", "based_epoch", "based_version", "deleted", "content_hash", "body", "state", "provider_id",
    "kind", "category", "area", "search_text",
)  # fmt: skip


def _stored(
    epoch: int, version: int, based: tuple[int, int] | None, deleted: bool, content_hash: str, body: str,
    searched: Mapping[str, Any],
) -> str:  # fmt: skip
    """A row as COPY reads it. No text has a control character: JSON escapes them, words are single blanks apart."""
    on, of = based or ("\\N", "\\N")
    head = f"{epoch}\t{version}\t{on}\t{of}\t{'t' if deleted else 'f'}\t{content_hash}\t{_escaped(body)}"
    if "kind" not in searched:
        return f"{head}\t{searched['state']}\t\\N\t\\N\t\\N\t\\N\t\\N"
    known = "\t".join(str(searched[name]) for name in ("state", "provider_id", "kind", "category"))
    return f"{head}\t{known}\t{{{','.join(searched['area'])}}}\t{_escaped(searched['search_text'])}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\")


def removed(line: int, noun: Noun, id: UUID, held: Held) -> Row:
    """The tombstone of a record that its platform no longer has."""
    read = Read(line, noun, id, held.epoch, None, True, None)
    return _completed(read, held, held.epoch)


def _counted(body: dict[str, Any], held: Held | None, epoch: int) -> tuple[int, int, tuple[int, int]]:
    """Epoch and version of a state that names none: one more than held, if it says anything new."""
    if held is None:
        return epoch, 1, (0, 0)
    based = (held.epoch, held.version)
    if _plain(body) == _plain(held.body):
        return *based, based
    return (held.epoch, held.version + 1, based) if epoch <= held.epoch else (epoch, 1, based)


def _plain(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in ("id", "epoch", "version")}


def _hash(text: str) -> str:
    """Raises: Wrong for what no database takes."""
    if "\\u0000" in text and _NUL.search(text):
        raise _unstorable()
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise _unstorable() from None
    if len(data) > MAX_BYTES:
        raise _too_large()
    return hashlib.sha256(data).hexdigest()


def searched(state: OfferingAnnounced | ProviderAnnounced, standing: str) -> dict[str, Any]:
    """What the catalogue looks for a record by."""
    if not isinstance(state, OfferingAnnounced):
        return {"state": standing}
    return {
        "state": standing,
        "provider_id": state.provider_id,
        "kind": state.kind,
        "category": state.category,
        "area": [catalogue.prefix(code) for code in state.service_area],
        "search_text": catalogue.searched(state),
    }


def refused(line: int, error: ValidationError, noun: Noun | None = None, id: UUID | None = None) -> Rejected:
    """The first rule of a form that a line breaks."""
    first = error.errors(include_input=False, include_url=False)[0]
    zh, en = rules.explain(dict(first))
    # The noun that chose the form is no part of the way to the field.
    path = first["loc"][1:] if first["loc"][:1] in (("offering",), ("provider",)) else first["loc"]
    field = printable(".".join(str(part)[:60] for part in path))
    return Rejected(line, field, str(first["type"]).replace("_", "-"), zh, en, noun, id)


def printable(field: str) -> str | None:
    """A field's name as a database and a terminal take it: a made-up key is input too."""
    return field.encode("unicode_escape").decode()[:200] or None


def _wrong(line: int, error: Refusal, noun: Noun | None = None, id: UUID | None = None) -> Rejected:
    return Rejected(line, error.field, error.code, error.zh, error.en, noun, id)


def _too_large() -> Wrong:
    return Wrong(
        "too-large-to-share",
        zh="内容过大，无法在平台间传递；请缩短文字或属性",
        en="too large to be shared between platforms; shorten its texts or attributes",
        field="data",
    )


def _unstorable() -> Wrong:
    return Wrong(
        "text-control",
        zh="含 NUL 或代理字符；请删除",
        en="holds a NUL or a surrogate character; remove it",
        field="data",
    )
