"""What reading gives: records, and what is wrong with them. Nothing that is wrong stops the rest."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol
from uuid import UUID

Severity = Literal["warning", "error", "fatal"]
Noun = Literal["provider", "offering"]
DeletionPolicy = Literal["tombstone", "absence"]


@dataclass(frozen=True)
class About:
    """The head of a catalogue.

    Shape: `deletion_policy` says what a record that is missing means: "tombstone" nothing, for every deletion
    is said; "absence" that it is gone.
    """

    version: str | None = None
    profile: str | None = None
    deletion_policy: DeletionPolicy | None = None
    platform: str | None = None


UNSAID = About()


class Public(Protocol):
    """A public state as its owner tells it: what a catalogue is written from."""

    @property
    def noun(self) -> str: ...
    @property
    def epoch(self) -> int | None: ...
    @property
    def version(self) -> int | None: ...
    @property
    def deleted(self) -> bool: ...
    @property
    def data(self) -> dict[str, Any]: ...
    @property
    def platform(self) -> str | None: ...


@dataclass(frozen=True)
class Given:
    """A record that was read, as a public state.

    Shape: `epoch` and `version` are None where the source says none; `data` is what the contract of its noun
    takes once they are known; `row` counts from 1; `reference` is the id as the source has it.
    """

    noun: Noun
    id: UUID
    epoch: int | None
    version: int | None
    deleted: bool
    data: dict[str, Any]
    platform: str | None
    row: int
    reference: str


@dataclass(frozen=True)
class Dirt:
    """Something wrong with a source.

    Shape: "warning" the record is given all the same, "error" it is not; "fatal" reading ended here, so that
    what is missing says nothing. `table` is empty for the whole; `rule` is stable.
    """

    table: str
    row: int | None
    id: str | None
    field: str | None
    rule: str
    zh: str
    en: str
    severity: Severity = "warning"


# rule -> (severity, Chinese, English): what is wrong and what to do.
RULES: dict[str, tuple[Severity, str, str]] = {
    "not-json": ("fatal", "此处起不是有效的 JSON，或文件被截断；请重新导出后再试", "no valid JSON from here on, or cut off; export it again"),
    "too-large": ("fatal", "一条记录超过 1 MB；请检查文件", "a record is larger than 1 MB; check the file"),
    "no-catalogue": ("fatal", "不是 HSDS 目录：没有 organizations 或 services", "no HSDS catalogue: it has neither organizations nor services"),
    "not-text": ("error", "文件不是 UTF-8 或 GB18030 文本；请另存后再试", "the file is neither UTF-8 nor GB18030 text; save it again"),
    "not-csv": ("error", "此行起不是有效的 CSV；请检查引号", "no valid CSV from this line on; check its quotes"),
    "unknown-table": ("warning", "HSDS 3.0 没有此表；未读取", "HSDS 3.0 has no such table; it was not read"),
    "not-loaded": ("warning", "此表的内容已检查，但公共目录不收；个人联系方式不离开所在平台", "this table was checked and is not loaded: the catalogue has no place for it, and people's contacts stay where they are"),
    "no-table": ("error", "缺少此表；没有它就没有可导入的服务", "this table is missing; without it there is nothing to import"),
    "older-table": ("warning", "旧版 HSDS 的表；已按 3.0 读取", "a table of an older HSDS; it was read as 3.0"),
    "older-field": ("warning", "旧版 HSDS 的字段；已按 3.0 读取", "a field of an older HSDS; it was read as 3.0"),
    "unknown-field": ("warning", "HSDS 3.0 和本配置没有此字段；未读取", "neither HSDS 3.0 nor this profile has the field; it was not read"),
    "not-object": ("error", "应为对象；请检查", "an object is wanted here; check it"),
    "wrong-kind": ("warning", "值的类型不符；已忽略", "the value is of another kind than the field; it was ignored"),
    "missing-field": ("warning", "缺少必填字段；请补充", "a field that must be there is missing; add it"),
    "missing-id": ("error", "缺少编号；请补充唯一编号", "the id is missing; give it a unique one"),
    "missing-name": ("error", "缺少名称；请补充", "the name is missing; add it"),
    "not-uuid": ("warning", "编号不是 UUID；已由它推导一个固定编号", "the id is no UUID; a fixed one was derived from it"),
    "bad-uri": ("warning", "网址不完整；应以 http:// 或 https:// 开头", "the address is not whole; it begins with http:// or https://"),
    "bad-email": ("warning", "邮箱格式不符；请核对", "this is no mail address; check it"),
    "bad-phone": ("warning", "电话号码不可用：应有 5 至 20 位数字；请核对", "this cannot be a telephone number: 5 to 20 digits are wanted; check it"),
    "bad-date": ("warning", "日期应为 YYYY-MM-DD；请更正", "a date is YYYY-MM-DD; correct it"),
    "bad-time": ("warning", "时间应为 HH:MM；请更正", "a time is HH:MM; correct it"),
    "ends-before-it-begins": ("warning", "结束早于开始；请更正", "it ends before it begins; correct it"),
    "bad-coordinates": ("warning", "经纬度超出范围或为零；请核对", "the coordinates are out of range or zero; check them"),
    "outside-region": ("warning", "坐标不在内蒙古自治区范围内；请核对经纬度是否颠倒", "the coordinates are outside the region; check whether they are swapped"),
    "unknown-word": ("warning", "不是此字段允许的值；请核对", "the field does not know this value; check it"),
    "duplicate-id": ("error", "编号重复；只读取了第一条", "the id was there before; only the first was read"),
    "duplicate-row": ("warning", "与前面一行完全相同；请删除其一", "the same as a row before it; remove one"),
    "duplicate-organization": ("warning", "与另一机构同名；如为同一机构请合并", "another organization has this name; merge them if they are one"),
    "duplicate-credit-code": ("error", "另一机构已用此统一社会信用代码；请合并为一个机构", "another organization has this credit code; merge them into one"),
    "duplicate-service": ("warning", "同一机构下有同名服务；如为同一服务请删除其一", "the organization has another service of this name; remove one if they are one"),
    "orphan": ("warning", "所指记录不存在；请补充被引用的记录或删除此引用", "what this refers to is not there; add it or remove the reference"),
    "no-organization": ("error", "服务所属机构不存在；请补充机构", "the organization of this service is not there; add it"),
    "refused-organization": ("error", "服务所属机构未能读取，见该机构的问题", "the organization of this service was not taken; see what is wrong with it"),
    "no-services": ("warning", "机构没有可读取的服务", "the organization has no service that could be read"),
    "not-active": ("warning", "服务在来源处未开放，或其机构已停用；未导入", "the service is not open at its source, or its organization is not active; it was not loaded"),
    "missing-credit-code": ("error", "机构没有统一社会信用代码；请填写 credit_code", "the organization has no unified social credit code; fill in credit_code"),
    "bad-credit-code": ("error", "统一社会信用代码不符合 GB 32100（18位及校验位）；请核对", "the credit code does not follow GB 32100 (18 characters with their check digit); check it"),
    "no-category": ("error", "服务没有分类；请填写 attributes，或用 --category 指定", "the service has no category; add attributes, or name one with --category"),
    "unknown-category": ("error", "分类不在本网络分类表中；请对照 taxonomy_terms，或用 --category 指定", "the category is not in the taxonomy of this network; see taxonomy_terms, or name one with --category"),
    "category-by-name": ("warning", "分类按名称对应；请核对，最好改用分类编号", "the category was found by its name; check it, and better give its code"),
    "category-given": ("warning", "分类未知；已用指定的默认分类", "the category is not known; the one given for such cases was taken"),
    "no-division": ("error", "地点不在本自治区，或没有地点；请填写 division（GB/T 2260），或用 --division 指定", "no place, or one outside the region; fill in division (GB/T 2260), or name one with --division"),
    "unknown-division": ("error", "没有此 GB/T 2260 代码；请核对", "there is no such GB/T 2260 code; check it"),
    "unknown-area": ("warning", "服务区域不是本自治区的地名或代码；已忽略，按全区服务", "the service area is no place or code of the region; it was ignored"),
    "division-by-address": ("warning", "地点由地址得出；请核对，最好填写 division", "the place was found from the address; check it, and better fill in division"),
    "division-given": ("warning", "没有地点；已用指定的默认地点", "no place is given; the one given for such cases was taken"),
    "bad-price": ("warning", "金额不可用（须为不小于 0 的人民币元，最多两位小数）；已忽略", "the amount cannot be used (yuan, not below 0, at most two decimals); it was ignored"),
    "too-long": ("warning", "文字过长；已截短", "the text is too long; it was cut"),
}  # fmt: skip


def found(
    rule: str,
    table: str,
    row: int | None = None,
    id: str | None = None,
    field: str | None = None,
    *,
    severity: Severity | None = None,
) -> Dirt:
    """A finding in the words of its rule. `severity` is its own where the case is milder or worse."""
    usual, zh, en = RULES[rule]
    return Dirt(table, row, id, field, rule, zh, en, severity or usual)
