"""Read a list to its end."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class PageOf(Protocol[T_co]):
    """One page of a list."""

    @property
    def items(self) -> Sequence[T_co]: ...

    @property
    def next_cursor(self) -> Any: ...


def items(read: Callable[..., PageOf[T]], *place: Any, **wanted: Any) -> Iterator[T]:
    """Every item, page after page: `items(get_catalogue.sync, client=hub, q="检测")`."""
    after: Any = None
    while True:
        page = read(*place, **wanted, after=after)
        yield from page.items
        if not (after := page.next_cursor):
            return


async def aitems(read: Callable[..., Awaitable[PageOf[T]]], *place: Any, **wanted: Any) -> AsyncIterator[T]:
    """Every item, page after page: `aitems(get_catalogue.asyncio, client=hub, q="检测")`."""
    after: Any = None
    while True:
        page = await read(*place, **wanted, after=after)
        for item in page.items:
            yield item
        if not (after := page.next_cursor):
            return
