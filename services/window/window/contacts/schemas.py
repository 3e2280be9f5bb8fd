from common import http
from pydantic import Field


class EnterpriseContactOut(http.Out):
    """Whom to speak to at the enterprise; what it has not given is null."""

    enterprise_name: str = Field(validation_alias="name")
    contact_name: str | None
    contact_phone: str | None
    contact_email: str | None
