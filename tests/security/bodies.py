"""Bodies that no service may stumble over.

A body is made from an operation's own example, so that all but the spoilt place is right.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

MARK = "ECHO7f3a"  # in every hostile value; must not come back
MANY_MB = 10 * 1024 * 1024


class Body(NamedTuple):
    """Bytes to send. `text` may be kept: what is odd about it is not wrong."""

    data: bytes
    media: str = "application/json"
    coding: str | None = None
    text: bool = False


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _raw(value: Any) -> bytes:
    """ASCII, so that a surrogate travels as an escape."""
    return json.dumps(value).encode()


def _places(value: Any, kinds: tuple[type, ...]) -> Iterator[tuple[Any, ...]]:
    """Paths of all values of a kind."""
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, child in children:
        if isinstance(child, kinds) and (bool in kinds or not isinstance(child, bool)):
            yield (name,)
        yield from ((name, *rest) for rest in _places(child, kinds))


def _put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _put(value[path[0]], path[1:], new)
    return copy


def everywhere(example: Any, kinds: tuple[type, ...], new: Any) -> list[Any]:
    """The example with the value in each place of that kind in turn, and as a field nobody knows."""
    spoilt = [_put(example, path, new) for path in _places(example, kinds)]
    return [*spoilt, example | {"unknown": new}]


def texts(example: Any, new: str) -> list[Any]:
    return everywhere(example, (str,), new)


def numbers(example: Any, written: str) -> list[bytes]:
    """The number as it is written: Python's own JSON has no word for some of these."""
    spoilt = everywhere(example, (int, float), "@number@") + everywhere(example, (str,), "@number@")
    return [_raw(body).replace(b'"@number@"', written.encode()) for body in spoilt]


def _nested(levels: int) -> bytes:
    return b'{"' + MARK.encode() + b'":' + b"[" * levels + b"]" * levels + b"}"


def _twice(example: Any) -> bytes:
    return b"{" + _json(example)[1:-1] + b"," + _json(example)[1:-1] + b"}" if example else b'{"a":1,"a":2}'


Make = Callable[[Any], list[Body]]

BODIES: dict[str, Make] = {
    "nul in text": lambda e: [Body(_raw(b)) for b in texts(e, f"{MARK}\0")],
    "nul in a nested value": lambda e: [Body(_raw(b)) for b in texts(e, {"a": {"b": f"{MARK}\0"}})],
    "nul in a key": lambda e: [Body(_raw(e | {f"{MARK}\0": 1}))] + [Body(_raw(b)) for b in everywhere(e, (dict,), {f"{MARK}\0": 1})],
    "lone surrogate in text": lambda e: [Body(_raw(b)) for b in texts(e, f"{MARK}\ud800")],
    "lone surrogate nested": lambda e: [Body(_raw(b)) for b in texts(e, [{"a": f"{MARK}\udfff"}])],
    "lone surrogate in a key": lambda e: [Body(_raw(e | {f"{MARK}\ud800": 1}))] + [Body(_raw(b)) for b in everywhere(e, (dict,), {f"{MARK}\ud83d": 1})],
    "lone surrogate as bytes": lambda e: [Body(_json(b)) for b in texts(e, f"{MARK}\ud800")[:2]],
    "integer beyond 64 bits": lambda e: [Body(b) for b in numbers(e, "9223372036854775808")],
    "integer of 5,000 digits": lambda e: [Body(b) for b in numbers(e, "9" * 5000)[:3]],
    "NaN": lambda e: [Body(b) for b in numbers(e, "NaN")],
    "Infinity": lambda e: [Body(b) for b in numbers(e, "Infinity")],
    "-Infinity": lambda e: [Body(b) for b in numbers(e, "-Infinity")],
    "1e999": lambda e: [Body(b) for b in numbers(e, "1e999")],
    "100 levels deep": lambda e: [Body(_nested(100)), *(Body(_raw(b)) for b in everywhere(e, (dict, list), json.loads("[" * 99 + "]" * 99)))],
    "100,000 levels deep": lambda e: [Body(_nested(100_000)), Body(b"[" * 100_000), Body(b'{"a":' * 40_000)],
    "a byte order mark": lambda e: [Body(b"\xef\xbb\xbf" + _json(e), text=True)],
    "UTF-16": lambda e: [Body(json.dumps(e).encode("utf-16"), text=True), Body(json.dumps(e).encode("utf-16-le"), text=True)],
    "not UTF-8": lambda e: [Body(b'{"a":"\xff\xfe\xfa"}'), Body(b'{"a":"\xed\xa0\x80"}'), Body(b"\xff" * 40)],
    "keys given twice": lambda e: [Body(_twice(e), text=True)],
    "bidi override": lambda e: [Body(_json(b)) for b in texts(e, f"{MARK}\u202e\u2066txt.exe")],
    "only zero width": lambda e: [Body(_json(b), text=True) for b in texts(e, "\u200b\u200d\ufeff")],
    "a full-width twin": lambda e: [Body(_json(b), text=True) for b in texts(e, "＜ｓｃｒｉｐｔ＞１２３")],
    "199 combining marks": lambda e: [Body(_json(b)) for b in texts(e, f"{MARK[:1]}" + "\u0301" * 199)],
    "empty": lambda e: [Body(b"", text=True), Body(b" \n", text=True), Body(b"null", text=True)],
    "a list, a word, a number": lambda e: [Body(_json([e, e])), Body(f'"{MARK}"'.encode()), Body(b"17"), Body(b"true")],
    "something behind it": lambda e: [Body(_json(e) + f" {MARK}".encode()), Body(_json(e) + _json(e))],
    "truncated": lambda e: [Body(_json(e)[: cut or 1]) for cut in (1, len(_json(e)) // 2, len(_json(e)) - 1)],
    "another content type": lambda e: [Body(_json(e), media) for media in ("text/plain", "application/xml", "multipart/form-data", "application/x-www-form-urlencoded", "", "*/*")] + [Body(_json(e), "application/json; charset=utf-7", text=True)],
    "gzip": lambda e: [Body(gzip.compress(_json(e)), coding="gzip"), Body(gzip.compress(b"0" * MANY_MB), coding="gzip")],
    "20,000 keys": lambda e: [Body(_json(e | {f"{MARK}{n}": n for n in range(12_000)}))],
    "20,000 items": lambda e: [Body(_json(b)) for b in everywhere(e, (list, dict), [MARK] * 10_000)],
    "XML with an entity": lambda e: [Body(f'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;{MARK}</a>'.encode(), "application/xml")],
}  # fmt: skip
# Beside them: 10 MB in one string, which has an answer of its own.


def huge(example: Any) -> Body:
    return Body(_json(example | {"unknown": MARK + "0" * MANY_MB}))
