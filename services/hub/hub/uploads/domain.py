from typing import Literal

from common.errors import Refusal

Format = Literal["ndjson", "csv", "xlsx", "hsds"]


class Broken(Refusal):
    """A file that is not what it says, or ends in the middle: nothing of it may be taken over."""
