"""Who may call."""

from typing import Annotated

from common.auth import Principal, allow

Operator = Annotated[Principal, allow("operator")]
