"""What a route asks for besides its body: the caller by role, the time, a page."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from common.auth import Principal, allow
from common.http import PAGE_LIMIT
from fastapi import Depends, Query, Request

Agency = Annotated[Principal, allow("agency")]
Staff = Annotated[Principal, allow("window_staff", "cluster_staff", "operator")]
# The agency for what is its own, staff of this platform for all of it.
AgencyOrStaff = Annotated[Principal, allow("agency", "window_staff", "cluster_staff", "operator")]


async def _now(request: Request) -> datetime:
    return request.app.state.runtime.clock()


Now = Annotated[datetime, Depends(_now)]
After = Annotated[UUID | None, Query(description="next_cursor of the page before")]
Limit = Annotated[int, Query(ge=1, le=PAGE_LIMIT)]
