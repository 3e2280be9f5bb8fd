"""Who may call, and what answers."""

from typing import Annotated

from common.auth import Principal, allow, caller
from common.errors import Forbidden
from fastapi import Depends, Request

from matchmaking.demands.service import Matchmaker


async def _staff(who: Annotated[Principal, Depends(caller)]) -> Principal:
    """Staff of a window read here of their own window's demands, far from home, so `allow` does not fit.

    Which demands those are, the repositories decide.
    """
    if "operator" in who.roles or ("window_staff" in who.roles and who.home):
        return who
    raise Forbidden(
        "role-needed",
        zh="对接依据仅供运营人员和需求所在窗口的工作人员查看；您的对接结果请在本窗口平台查看",
        en="the evidence of matches is for operators and staff of the demand's window; see your matches at your window",
    )


Operator = Annotated[Principal, allow("operator")]
Staff = Annotated[Principal, Depends(_staff)]


async def _matchmaker(request: Request) -> Matchmaker:
    return request.app.state.matchmaker


Engine = Annotated[Matchmaker, Depends(_matchmaker)]
