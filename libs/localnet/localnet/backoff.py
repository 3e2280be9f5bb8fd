"""How long a dead child waits before it is started again."""

from dataclasses import dataclass

FIRST_S = 0.2
LONGEST_S = 10.0
HEALTHY_AFTER_S = 30.0


@dataclass(frozen=True)
class Backoff:
    """Deaths in a row, those after good health not counted."""

    deaths: int = 0

    def after(self, healthy_s: float) -> "Backoff":
        """The state after one more death of a child that had been healthy for so long."""
        return Backoff(1 if healthy_s >= HEALTHY_AFTER_S else self.deaths + 1)

    @property
    def delay_s(self) -> float:
        if self.deaths == 0:
            return 0.0
        return min(LONGEST_S, FIRST_S * 2.0 ** min(self.deaths - 1, 16))
