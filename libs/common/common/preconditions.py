"""Edits say which version they are based on: ETag out, If-Match in."""

from typing import Annotated, Any

from fastapi import Depends, Header, Response

from common.errors import Required, stale


def etag(value: Any) -> str:
    """The strong tag of a version: it changes exactly when the entity does."""
    return f'"{value.epoch}.{value.version}"'


def tagged(response: Response, value: Any) -> Any:
    """The value, with its tag on the answer."""
    response.headers["ETag"] = etag(value)
    return value


class Match:
    """The version an edit is based on."""

    def __init__(self, tag: str):
        self._tag = tag.strip()

    def check(self, value: Any) -> None:
        """Raises: Stale when the entity has moved on."""
        self.check_tag(etag(value))

    def check_tag(self, tag: str) -> None:
        """For what has no version of its own. Raises: Stale."""
        if self._tag != tag:
            raise stale()


async def if_match(if_match: Annotated[str | None, Header(max_length=100)] = None) -> Match:
    if if_match is None:
        raise Required(
            "if-match-needed",
            zh="修改需带 If-Match 请求头，值为读取时返回的 ETag",
            en="an edit needs the header If-Match with the ETag you got when reading",
            field="If-Match",
        )
    return Match(if_match)


IfMatch = Annotated[Match, Depends(if_match)]
