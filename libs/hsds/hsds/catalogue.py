"""A whole catalogue as one JSON document: written and read in a stream."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from hsds import fields, mapping, profile, terms
from hsds.findings import UNSAID, About, DeletionPolicy, Dirt, Given, Public, found
from hsds.reading import NO_DEFAULTS, Defaults, Reading
from hsds.scanning import Broken, Item, Scanner

# A list of the document -> what its items are. `contents` is a page of an HSDS API, "" a bare list.
LISTS = {
    "taxonomies": "taxonomy", "taxonomy_terms": "taxonomy_term", "organizations": "organization",
    "services": "service", "locations": "location", "contents": "", "": "",
}  # fmt: skip
PAGE_KEYS = {"total_items", "total_pages", "page_number", "size", "first_page", "last_page", "empty"}
CHUNK = 65_536


class Reader:
    """Reads a document while it arrives.

    Shape: gives the About before the first record; after a fatal Dirt nothing more is given.
    """

    def __init__(self, defaults: Defaults = NO_DEFAULTS) -> None:
        self._scanner = Scanner()
        self._reading = Reading(defaults)
        self._head: dict[str, Any] = {}
        self._told = False
        self._found = False
        self._broken = False

    def feed(self, chunk: bytes) -> Iterator[Given | Dirt | About]:
        for begin in range(0, len(chunk), CHUNK):
            yield from self._take(chunk[begin : begin + CHUNK])

    def close(self) -> Iterator[Given | Dirt | About]:
        """Say that the document has ended."""
        yield from self._take(b"", last=True)
        if not self._broken and not self._found:
            yield found("no-catalogue", "")

    def _take(self, chunk: bytes, *, last: bool = False) -> Iterator[Given | Dirt | About]:
        if self._broken:
            return
        try:
            for item in self._scanner.feed(chunk, last=last):
                yield from self._item(item)
        except Broken as error:
            self._broken = True
            yield found(error.rule, "")

    def _item(self, item: Item) -> Iterator[Given | Dirt | About]:
        if item.row is None:
            self._head[item.key] = item.value
            if item.key not in ("version", "profile", "deletion_policy", "platform", *PAGE_KEYS):
                yield from self._single(item)
            return
        yield from self._announced()
        table = LISTS.get(item.key)
        if item.row == 0:
            self._found = self._found or table in ("organization", "service")
            return
        if table is None:
            if item.row == 1:
                yield found("unknown-table", item.key)
            return
        table = table or guessed(item.value)
        self._found = self._found or table in ("organization", "service")
        yield from self._reading.take(table, item.value, item.row)

    def _single(self, item: Item) -> Iterator[Given | Dirt | About]:
        """A member that is no list belongs to no table; an unknown one is told."""
        if item.key not in LISTS:
            yield found("unknown-field", "", None, None, item.key[:200])
        elif item.key:
            yield found("not-object", LISTS[item.key] or item.key)

    def _announced(self) -> Iterator[About]:
        if not self._told:
            self._told = True
            policy = self._head.get("deletion_policy")
            yield About(
                version=_text(self._head.get("version")),
                profile=_text(self._head.get("profile")),
                deletion_policy=policy if policy in get_args(DeletionPolicy) else None,
                platform=_text(self._head.get("platform")),
            )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def guessed(record: Any) -> str:
    """What a record without a table is: a service has a status, an organization none."""
    if isinstance(record, dict) and (
        "status" in record or "organization_id" in record or "organization" in record
    ):
        return "service"
    return "organization"


def read_catalogue(
    document: bytes | Iterable[bytes], defaults: Defaults = NO_DEFAULTS
) -> Iterator[Given | Dirt | About]:
    """Read a catalogue: its head, its records, and what is wrong with it."""
    reader = Reader(defaults)
    for chunk in (document,) if isinstance(document, bytes) else document:
        yield from reader.feed(chunk)
    yield from reader.close()


def write_catalogue(states: Iterable[Public], *, about: About = UNSAID) -> Iterator[bytes]:
    """Write a catalogue: providers first, then offerings, as they come."""
    writer = Writer(about)
    yield writer.begin()
    for state in states:
        yield writer.state(state)
    yield writer.end()


class Writer:
    """Writes a document piece by piece, for a source that is itself awaited.

    Shape: `begin`, then `state` for every provider and after them for every offering, then `end`.
    """

    def __init__(self, about: About = UNSAID) -> None:
        self._about = about
        self._names: dict[str, str] = {}
        self._list = ""
        self._first = True

    def begin(self) -> bytes:
        head = {
            "version": fields.VERSION,
            "profile": self._about.profile or f"{profile.NAME}/{profile.VERSION}",
            "deletion_policy": self._about.deletion_policy or "tombstone",
            **({"platform": self._about.platform} if self._about.platform else {}),
            "taxonomies": terms.taxonomies(),
            "taxonomy_terms": terms.terms(),
        }
        self._list = "organizations"
        return _json(head)[:-1] + b',"organizations":['

    def state(self, state: Public) -> bytes:
        if state.noun == "provider":
            assert self._list == "organizations", "providers come before offerings"
            self._names[str(state.data["id"])] = state.data.get("name", "")
            return self._separated(b"") + _json(mapping.organization(state))
        opened = self._opened()
        return self._separated(opened) + _json(mapping.service(state, self._names))

    def end(self) -> bytes:
        return self._opened() + b"\n]}\n"

    def _opened(self) -> bytes:
        if self._list == "services":
            return b""
        self._list, self._first = "services", True
        return b'\n],"services":['

    def _separated(self, opened: bytes) -> bytes:
        comma = b"\n" if self._first else b",\n"
        self._first = False
        return opened + comma


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
