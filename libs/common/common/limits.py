"""How often one caller may call; counted in the process, so that it works offline."""

import time
from functools import cached_property

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from common.errors import TooMany


class Limiter:
    """A fixed window of one minute per key.

    Raises: TooMany with the seconds to wait.
    """

    def __init__(self, per_minute: int):
        self._item = RateLimitItemPerMinute(per_minute)

    @cached_property
    def _strategy(self) -> FixedWindowRateLimiter:
        return FixedWindowRateLimiter(MemoryStorage())  # starts a thread: not before the fork

    def hit(self, *key: str) -> None:
        if self._strategy.hit(self._item, *key):
            return
        wait = max(1, int(self._strategy.get_window_stats(self._item, *key).reset_time - time.time()) + 1)
        raise TooMany(
            "rate-limited",
            zh=f"调用过于频繁；请在 {wait} 秒后重试",
            en=f"too many calls; repeat after {wait} seconds",
            retry_after_s=wait,
        )
