"""Which records are of one organisation, and what they say together.

The owners' records stay as they are: a merge is how the hub shows them, and is undone without a trace.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from common.contracts.envelope import Contract
from common.errors import Conflict, Invalid

from hub.catalogue.domain import Copy, Key, Registered

Body = dict[str, Any]
# Lists that are joined; of everything else the primary's word counts.
JOINED = ("categories", "qualifications", "recognitions")
# What records of one organisation should agree about.
COMPARED = ("name", "division", "profile", "example", "state", *JOINED)


class Difference(Contract):
    """A field that the records say differently: what each says, in the order of the records."""

    field: str
    said: tuple[Any, ...]


class Identity(Contract):
    """All living records of one credit code.

    Shape: `primary` is the record that speaks, or would; `merged` whether it does already for every record;
    `together` is what it says then.
    """

    credit_code: str
    records: tuple[Registered, ...]
    primary: Key
    merged: bool
    together: Body
    differences: tuple[Difference, ...]

    @property
    def tag(self) -> str:
        """The ETag: changes with every record, and with every merge."""
        told = [(*one.key, one.epoch, one.version, one.primary) for one in self.records]
        return f'"{hashlib.sha256(repr(told).encode()).hexdigest()[:32]}"'


def identity(credit_code: str, records: Sequence[Registered], primary: Key | None = None) -> Identity:
    """What an organisation is, or would be were `primary` to speak for it.

    Raises: Invalid for a primary that is none of the records.
    """
    speaker = primary or _speaker(records)
    one = next((one for one in records if one.key == speaker), None)
    if one is None:
        raise Invalid(
            "not-among-records",
            zh="primary 须为该信用代码下的一条在册记录，编号见 records",
            en="primary must be one of the living records of this credit code; see records",
            field="primary",
        )
    others = [other for other in records if other is not one]
    return Identity(
        credit_code=credit_code,
        records=tuple(records),
        primary=one.key,
        merged=all(each.primary == one.key for each in records),
        together=together(one, others).body,
        differences=_differences(records),
    )


def _speaker(records: Sequence[Registered]) -> Key | None:
    """Who speaks already; else an active one, the one that offers most."""
    living = {one.key for one in records}
    told = [one.primary for one in records if one.primary in living]
    if told:
        return told[0]
    best = max(records, key=lambda one: (one.body.get("state") == "active", one.offerings), default=None)
    return best.key if best else None


def together(primary: Copy, others: Sequence[Copy]) -> Copy:
    """The primary's record with what the others add to its lists, each entry once."""
    body = dict(primary.body)
    for field in JOINED:
        entries: list[Any] = []
        for one in (primary, *others):
            entries += [entry for entry in one.body.get(field) or () if entry not in entries]
        if entries:
            body[field] = entries
    return primary.model_copy(update={"body": body})


def _differences(records: Sequence[Registered]) -> tuple[Difference, ...]:
    found = [
        Difference(field=field, said=tuple(one.body.get(field) for one in records)) for field in COMPARED
    ]
    return tuple(one for one in found if any(said != one.said[0] for said in one.said))


def alone() -> Conflict:
    return Conflict(
        "nothing-to-merge",
        zh="该信用代码下只有一条在册记录，无须合并",
        en="only one living record has this credit code; there is nothing to merge",
    )
