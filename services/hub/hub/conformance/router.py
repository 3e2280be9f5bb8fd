from typing import Annotated

from common import db
from common.db import Tx
from common.fields import NodeId
from common.http import Caller, Now
from common.preconditions import IfMatch, tagged
from common.runtime import Runtime
from conformance.exchange import Told
from fastapi import APIRouter, Depends, Path, Request, Response

from hub.conformance import service
from hub.conformance.schemas import AdmittedOut, CompletionIn, RunIn, RunOut, Runs
from hub.deps import Known, Operator, known_afterwards, registration_rate

router = APIRouter(prefix="/v1/nodes/{id}", tags=["conformance"])
Number = Annotated[int, Path(ge=1, le=10**9)]


@router.post(
    "/conformance",
    status_code=201,
    summary="开始一致性测试 Begin a conformance run",
    dependencies=[known_afterwards, Depends(registration_rate)],
)
async def begin(id: NodeId, body: RunIn, request: Request, who: Caller, now: Now) -> RunOut:
    """按 script 逐步推送、读取 probes、发送心跳，然后提交 completion；总线节点立即得到报告。

    Push the steps of `script` as they are, read the `probes` from your messages and confirm them by a
    heartbeat, then hand in the completion. A node of the bus is judged at once (operators).
    """
    runtime: Runtime = request.app.state.runtime
    if body.mode == "exchange":
        async with runtime.transaction() as tx:
            return RunOut.of(await service.begin(tx, who, id, at=now))
    async with db.begin(runtime.sessions) as tx:
        url = await service.address(tx, who, id)
    report = await service.served(id, url, at=now)
    async with db.begin(runtime.sessions) as tx:
        return RunOut.of(await service.note(tx, who, id, report, at=now))


@router.post(
    "/conformance/{number}/completion", summary="完成一致性测试 Finish a run", dependencies=[known_afterwards]
)
async def complete(id: NodeId, number: Number, body: CompletionIn, tx: Tx, who: Caller, now: Now) -> RunOut:
    """枢纽按所见所存逐条评判；通过则进入试运行，未通过可再次运行。

    Every rule is judged by what the hub saw and holds; each failure names the rule, the evidence and the
    mend. Who passes goes on probation; who does not may run again. Then push `script.clean_up`.
    """
    told = Told(
        outcomes=body.outcomes, messages=[str(message) for message in body.messages], digest=body.digest
    )
    return RunOut.of(await service.complete(tx, who, id, number, told, at=now))


@router.get("/conformance", summary="一致性测试列表 Conformance runs")
async def runs(id: NodeId, tx: Tx, who: Caller) -> Runs:
    """最近 50 次，最新在前。The last 50, newest first."""
    found = await service.runs(tx, who, id)
    return Runs(items=[RunOut.of(run.model_copy(update={"script": None})) for run in found])


@router.get("/conformance/{number}", summary="一次一致性测试 A conformance run")
async def read(id: NodeId, number: Number, tx: Tx, who: Caller) -> RunOut:
    """其步骤与报告。Its script and its report."""
    return RunOut.of(await service.get(tx, who, id, number))


@router.post("/activation", summary="转为正式运行 Activate", dependencies=[known_afterwards])
async def activate(
    id: NodeId, tx: Tx, who: Operator, match: IfMatch, known: Known, now: Now, response: Response
) -> AdmittedOut:
    """试运行结束：其目录可被搜索，并转交供需对接。Its catalogue is found, and handed on to matchmaking."""
    return tagged(
        response, AdmittedOut.model_validate(await service.admit(tx, who, id, match, known, at=now))
    )
