"""The work in the background: texts into vectors, and from one source to the next."""

from common import db
from common.runtime import Runtime

from matchmaking.embedders.domain import BATCH
from matchmaking.embeddings.service import Embeddings, Link

# So many texts are asked for at once; each batch of them is kept as soon as it is there.
PAGE = 64


class Embed:
    """Embeds what lacks a vector. Shape: called over and over; returns when there is nothing to do."""

    __name__ = "embed"

    def __init__(self, embeddings: Embeddings) -> None:
        self._embeddings = embeddings

    async def __call__(self, runtime: Runtime) -> None:
        busy = True
        while busy:
            await self._embeddings.tidy()
            async with db.begin(runtime.sessions) as tx:
                links = await self._embeddings.follow(tx)
            busy = False
            for link in links:
                await self._embeddings.probe(link)
                busy = await self._page(runtime, link) or busy
            if len(links) > 1:
                async with db.begin(runtime.sessions) as tx:
                    busy = await self._embeddings.settle(tx) or busy

    async def _page(self, runtime: Runtime, link: Link) -> bool:
        """Whether vectors were computed."""
        async with db.begin(runtime.sessions) as tx:
            items = await self._embeddings.claim(tx, link, PAGE)
        for start in range(0, len(items), BATCH):
            vectors = await self._embeddings.embed(link, items[start : start + BATCH])
            if not vectors:
                return start > 0
            async with db.begin(runtime.sessions) as tx:
                await self._embeddings.keep(tx, link, vectors)
        return bool(items)
