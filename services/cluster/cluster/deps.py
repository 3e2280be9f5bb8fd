"""What a cluster's routes ask for: who may take time of a resource, and how long a hold lasts."""

from datetime import timedelta
from typing import Annotated

from common.auth import Principal, allow
from fastapi import Depends, Request

Booker = Annotated[Principal, allow("sme", "agency")]


async def _hold(request: Request) -> timedelta:
    return timedelta(seconds=request.app.state.runtime.settings.hold_ttl_s)


Hold = Annotated[timedelta, Depends(_hold)]
