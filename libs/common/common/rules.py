"""What a broken validation rule is called, in both languages. The value itself is never repeated."""

from typing import Any

_RULES: dict[str, tuple[str, str]] = {
    "missing": ("缺少此项；请补充", "is missing; add it"),
    "extra_forbidden": ("没有此字段；请删除或核对拼写", "is not a known field; remove it or check its spelling"),
    "string_type": ("须为文本", "must be text"),
    "string_too_long": ("最多 {max_length} 个字符", "may have at most {max_length} characters"),
    "string_too_short": ("至少 {min_length} 个字符", "needs at least {min_length} characters"),
    "string_pattern_mismatch": ("格式不符，应匹配 {pattern}", "does not have the form {pattern}"),
    "string_unicode": ("含无法编码的字符；请删除", "holds a character that cannot be encoded; remove it"),
    "text_control": ("含控制、双向或代理字符；请删除", "holds a control, bidi or surrogate character; remove it"),
    "text_unassigned": ("含未分配或私用字符；请删除", "holds a private or unassigned character; remove it"),
    "text_marks": ("组合符号过多；请删除", "holds more combining marks than letters; remove them"),
    "text_blank": ("没有可见内容；请填写", "has no visible character; fill it in"),
    "text_line": ("须为一行；请去掉换行和制表符", "must be one line; remove line breaks and tabs"),
    "int_type": ("须为整数", "must be a whole number"),
    "int_parsing": ("须为整数", "must be a whole number"),
    "int_parsing_size": ("数字过大", "is too large a number"),
    "int_from_float": ("须为整数，不带小数", "must be a whole number without a fraction"),
    "int_range": ("超出 64 位整数范围", "must fit into 64 bits"),
    "float_type": ("须为数字", "must be a number"),
    "finite_number": ("须为有限数值", "must be a finite number"),
    "greater_than_equal": ("不得小于 {ge}", "must be at least {ge}"),
    "greater_than": ("须大于 {gt}", "must be greater than {gt}"),
    "less_than_equal": ("不得大于 {le}", "must be at most {le}"),
    "less_than": ("须小于 {lt}", "must be less than {lt}"),
    "bool_type": ("须为 true 或 false", "must be true or false"),
    "bool_parsing": ("须为 true 或 false", "must be true or false"),
    "literal_error": ("须为以下之一：{expected}", "must be one of {expected}"),
    "union_tag_invalid": ("{discriminator} 须为以下之一：{expected_tags}", "{discriminator} must be one of {expected_tags}"),
    "union_tag_not_found": ("缺少 {discriminator}；请补充", "{discriminator} is missing; add it"),
    "enum": ("须为以下之一：{expected}", "must be one of {expected}"),
    "list_type": ("须为列表", "must be a list"),
    "tuple_type": ("须为列表", "must be a list"),
    "too_long": ("最多 {max_length} 项", "may have at most {max_length} items"),
    "too_short": ("至少 {min_length} 项", "needs at least {min_length} items"),
    "dict_type": ("须为对象", "must be an object"),
    "model_type": ("须为对象", "must be an object"),
    "model_attributes_type": ("须为 JSON 对象，Content-Type 为 application/json", "must be a JSON object, sent as application/json"),
    "json_invalid": ("不是有效的 JSON", "is not valid JSON"),
    "json_depth": ("嵌套超过 {limit} 层", "is nested deeper than {limit} levels"),
    "json_keys": ("键超过 {limit} 个", "has more than {limit} keys"),
    "json_items": ("超过 1000 项", "has more than 1000 items"),
    "uuid_parsing": ("须为 UUID", "must be a UUID"),
    "uuid_type": ("须为 UUID", "must be a UUID"),
    "date_from_datetime_parsing": ("须为日期，如 2026-03-31", "must be a date such as 2026-03-31"),
    "date_type": ("须为日期，如 2026-03-31", "must be a date such as 2026-03-31"),
    "date_parsing": ("须为日期，如 2026-03-31", "must be a date such as 2026-03-31"),
    "datetime_parsing": ("须为带时区的时间，如 2026-03-31T09:00:00+08:00", "must be a time with a zone such as 2026-03-31T09:00:00+08:00"),
    "datetime_from_date_parsing": ("须为带时区的时间，如 2026-03-31T09:00:00+08:00", "must be a time with a zone such as 2026-03-31T09:00:00+08:00"),
    "timezone_aware": ("须带时区，如 +08:00", "needs a time zone such as +08:00"),
    "moment_range": ("超出 2000–2100 年", "is outside the years 2000 to 2100"),
}  # fmt: skip
_OTHER = ("不符合要求（{type}）", "is not valid ({type})")


def explain(error: dict[str, Any]) -> tuple[str, str]:
    """What a pydantic error means, Chinese and English.

    Shape: a rule of ours may bring its own Chinese as `ctx["zh"]`; its English is then the message.
    """
    context = dict(error.get("ctx") or {})
    if "zh" in context:
        return str(context["zh"]), str(error["msg"])
    zh, en = _RULES.get(error["type"], _OTHER)
    context = {key: str(value)[:200] for key, value in context.items()} | {"type": error["type"]}
    try:
        return zh.format(**context), en.format(**context)
    except KeyError:
        return zh, en
