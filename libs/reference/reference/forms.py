"""The fields of two real forms: sharing an instrument, and stating a technology demand."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from reference.packaged import document

FormName = Literal["instrument", "technology_demand"]


@dataclass(frozen=True)
class FormField:
    id: str
    zh: str
    required: bool


@cache
def fields(form: FormName) -> tuple[FormField, ...]:
    """Return a form's fields in its order."""
    listed = document("form_fields.json")[form]["fields"]
    return tuple(FormField(entry["id"], entry["zh"], entry.get("required", False)) for entry in listed)
