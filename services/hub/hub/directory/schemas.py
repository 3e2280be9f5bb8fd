from typing import Any, Literal

from pydantic import BaseModel, Field


class ApiOut(BaseModel):
    """What this API is, as HSDS wants it told."""

    version: str = Field(description="HSDS 版本 Version of HSDS")
    profile: str
    openapi_url: str
    description: str
    deletion_policy: Literal["tombstone", "absence"]


class DirectoryPage(BaseModel):
    """A page as HSDS has it. `contents` are objects of the profile's schemas, at /v1/catalogue/hsds/schema."""

    total_items: int
    total_pages: int
    page_number: int
    size: int
    first_page: bool
    last_page: bool
    empty: bool
    contents: list[dict[str, Any]]
