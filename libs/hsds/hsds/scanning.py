"""A JSON document taken apart while it arrives: the items of its lists one by one, never the whole.

The standard decoder reads an item as soon as its end has come; that is ten times faster than events.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

# The longest text of a record is 20,000 characters, its free fields 64 KB: a megabyte is no record.
LARGEST = 1_048_576
_BLANK = re.compile(r"[ \t\r\n]*")


class Item(NamedTuple):
    """A value of the document: `key` is its member of the outermost object, `row` its place in a list.

    Shape: places count from 1; 0 says that the list begins, for it may be empty.
    """

    key: str
    row: int | None
    value: Any


class Broken(Exception):
    """The document is no JSON from here on; `rule` is why."""

    def __init__(self, rule: str):
        super().__init__(rule)
        self.rule = rule


def _refuse(name: str) -> float:
    raise ValueError(name)


# "{": the document is to begin; "key", "value", "item", "next item", "next key": inside; "end": all is read.
class Scanner:
    """Takes bytes, gives items.

    Shape: lists in the outermost object are taken apart; a document that is a list is the key "".
    Raises: Broken.
    """

    def __init__(self) -> None:
        self._text = ""
        self._at = 0
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("strict").decode
        self._json = json.JSONDecoder(parse_constant=_refuse)
        self._state = "{"
        self._bare = False
        self._key = ""
        self._row = 0

    def feed(self, chunk: bytes, *, last: bool = False) -> Iterator[Item]:
        try:
            self._text = self._text[self._at :] + self._decode(chunk, last)
        except UnicodeDecodeError:
            raise Broken("not-json") from None
        self._at = 0
        while (step := self._step(last)) is not None:
            if step:
                yield step[0]
        if last and (self._state != "end" or self._text[self._at :].strip(" \t\r\n")):
            raise Broken("not-json")

    def _step(self, last: bool) -> list[Item] | None:
        """One move: an item, nothing yet, or None when more text is needed."""
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at
        if self._at >= len(self._text) or self._state == "end":
            return None
        sign = self._text[self._at]
        if self._state == "{":
            return self._begin(sign)
        if self._state in ("next key", "next item"):
            return self._next(sign)
        if self._state == "value" and sign == "[":
            self._move("item?")
            self._row = 0
            return [Item(self._key, 0, None)]
        if self._state in ("key?", "item?") and sign in "]}":
            return self._close(sign)
        value = self._value(last)
        if value is None:
            return None
        if self._state in ("key", "key?"):
            return self._named(value[0], last)
        if self._state == "value":
            self._state = "next key"
            return [Item(self._key, None, value[0])]
        self._row += 1
        self._state = "next item"
        return [Item(self._key, self._row, value[0])]

    def _move(self, state: str) -> None:
        self._at += 1
        self._state = state

    def _begin(self, sign: str) -> list[Item]:
        if sign not in "{[":
            raise Broken("not-json")
        self._bare = sign == "["
        self._move("item?" if self._bare else "key?")
        return []

    def _next(self, sign: str) -> list[Item]:
        if sign == ",":
            self._move("key" if self._state == "next key" else "item")
            return []
        return self._close(sign)

    def _close(self, sign: str) -> list[Item]:
        if sign != ("]" if "item" in self._state else "}"):
            raise Broken("not-json")
        self._move("end" if self._bare or sign == "}" else "next key")
        return []

    def _named(self, name: Any, last: bool) -> list[Item] | None:
        match = _BLANK.match(self._text, self._at)
        at = match.end() if match else self._at
        if not isinstance(name, str):
            raise Broken("not-json")
        if at >= len(self._text):
            # The colon has not come yet: the name is read again with it.
            self._at = self._began
            return None
        if self._text[at] != ":":
            raise Broken("not-json")
        self._at, self._key, self._state = at + 1, name, "value"
        return []

    def _value(self, last: bool) -> tuple[Any] | None:
        self._began = self._at
        try:
            value, end = self._json.raw_decode(self._text, self._at)
        except json.JSONDecodeError as error:
            left = len(self._text) - self._at
            # A text or a word that was cut looks wrong where it begins, everything else at the very end.
            cut = error.msg.startswith("Unterminated") or error.pos >= len(self._text) - 8
            if last or not cut:
                raise Broken("not-json") from None
            if left > LARGEST:
                raise Broken("too-large") from None
            return None
        except (ValueError, RecursionError):
            raise Broken("not-json") from None
        if end - self._at > LARGEST:
            raise Broken("too-large")
        if end == len(self._text) and not last and not isinstance(value, str | list | dict):
            return None  # more digits may follow
        self._at = end
        return (value,)
