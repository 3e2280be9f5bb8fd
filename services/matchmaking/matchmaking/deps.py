"""Who may call, and what answers."""

from typing import Annotated

from common.auth import Principal, allow
from fastapi import Depends, Request

from matchmaking.demands.service import Matchmaker

Operator = Annotated[Principal, allow("operator")]
# Staff of the demand's window see its results; which window that is, the repositories decide.
Staff = Annotated[Principal, allow("operator", "window_staff")]


async def _matchmaker(request: Request) -> Matchmaker:
    return request.app.state.matchmaker


Engine = Annotated[Matchmaker, Depends(_matchmaker)]
