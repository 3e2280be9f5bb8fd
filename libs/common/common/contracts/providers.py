"""Service agencies (服务机构), as every platform may know them."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from common.contracts.envelope import Contract, Fact, State
from common.fields import DivisionCode, Line, Slug

ProviderState = Literal[
    "draft", "submitted", "verifying", "active", "returned", "rejected", "suspended", "retired"
]


class Qualification(Contract):
    """A licence or accreditation, valid through its last day."""

    name: Line
    number: Line | None = None
    valid_until: date | None = None


class Recognition(Contract):
    """An official recognition such as 示范平台, valid through its last day. Staff enter it."""

    name: Line
    level: Literal["national", "region", "league_city"]
    valid_until: date | None = None


class Provider(State):
    """An agency. Its people, phone numbers and mail addresses never travel."""

    name: Line
    credit_code: Line
    division: DivisionCode
    categories: tuple[Slug, ...] = ()
    qualifications: tuple[Qualification, ...] = ()
    recognitions: Annotated[tuple[Recognition, ...], Field(max_length=20)] = ()
    profile: Annotated[str, Field(max_length=20_000)] = ""
    example: bool = False
    state: ProviderState
    state_reason: str | None = None


class ProviderRegistered(Provider, Fact):
    type = "provider.registered.v1"


class ProviderChanged(Provider, Fact):
    type = "provider.changed.v1"


class ProviderVerified(Provider, Fact):
    """Staff decided: active, returned or rejected."""

    type = "provider.verified.v1"


class ProviderSuspended(Provider, Fact):
    type = "provider.suspended.v1"


class ProviderRestored(Provider, Fact):
    type = "provider.restored.v1"


class ProviderRetired(Provider, Fact):
    type = "provider.retired.v1"


class ProviderAnnounced(Provider, Fact):
    """Said again, or for the first time here: the state as it stands, whatever led to it."""

    type = "provider.announced.v1"
