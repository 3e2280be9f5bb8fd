"""The provider's contact over HTTP."""

from common.http import Out
from pydantic import Field


class ProviderContactOut(Out):
    """Whom to speak to at the provider; what it has not given is null."""

    provider_name: str = Field(validation_alias="name")
    contact_name: str | None
    contact_phone: str | None
    contact_email: str | None
