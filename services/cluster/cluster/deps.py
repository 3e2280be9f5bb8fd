"""What a route asks for besides its body: the caller by role, the time, how long a hold lasts."""

from datetime import timedelta
from typing import Annotated

from agency.deps import After, Agency, AgencyOrStaff, Limit, Now, Staff
from common.auth import Principal, allow, caller
from fastapi import Depends, Request

# Any authenticated caller: what they may see, the repositories decide.
Caller = Annotated[Principal, Depends(caller)]
# Who may take time of a resource.
Booker = Annotated[Principal, allow("sme", "agency")]


async def _hold(request: Request) -> timedelta:
    return timedelta(seconds=request.app.state.runtime.settings.hold_ttl_s)


Hold = Annotated[timedelta, Depends(_hold)]

__all__ = ["After", "Agency", "AgencyOrStaff", "Booker", "Caller", "Hold", "Limit", "Now", "Staff"]
