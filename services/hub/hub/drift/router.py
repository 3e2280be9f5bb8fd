from typing import Annotated

from common.db import Tx
from common.fields import NodeId
from common.http import Caller, Now
from fastapi import APIRouter, Path

from hub.deps import Known, Operator
from hub.drift import repository, service
from hub.drift.schemas import (
    BucketOut,
    ComparisonOut,
    DifferenceOut,
    DigestIn,
    DigestOut,
    DriftOut,
    ExchangeOut,
    RecordOut,
)

router = APIRouter(prefix="/v1/nodes", tags=["nodes"])


@router.post("/{id}/digests", status_code=202, summary="立即比对 Compare now")
async def compare(id: NodeId, body: DigestIn, tx: Tx, who: Operator, known: Known, now: Now) -> ExchangeOut:
    """请平台立即与枢纽比对目录；matchmaking 表示所有平台。仅运营人员。

    Lets a platform compare its catalogue with the hub's copies now; `matchmaking` means every platform.
    Operators only.
    """
    owners = service.owners(known, id)
    exchange = await service.ask(tx, known, owners, repair=body.repair, at=now)
    return ExchangeOut(exchange=exchange, node=id, asked_at=now)


@router.get("/{id}/drift", summary="目录差异 Drift of the copies")
async def drift(id: NodeId, tx: Tx, who: Caller, known: Known) -> DriftOut:
    """枢纽与供需对接所存副本和平台自身目录的差异；供运营人员和该平台人员查看。

    How the copies at the hub and at matchmaking differ from what the platform has; for operators and its staff.
    """
    service.own(known, who, id)
    comparisons = await repository.comparisons(tx, id)
    differences = await repository.differences(tx, id)
    return DriftOut(
        node=id,
        total=sum(one.total for one in comparisons),
        comparisons=[ComparisonOut.model_validate(one) for one in comparisons],
        differences=[DifferenceOut.model_validate(one) for one in differences],
    )


@router.get("/{id}/catalogue/digest", summary="目录摘要 Digest of the catalogue")
async def digest(id: NodeId, tx: Tx, who: Caller, known: Known) -> DigestOut:
    """枢纽所存该平台目录的摘要，供平台自行比对。

    The digest of what the hub holds of a platform, to compare with one's own. A record's mark is the first 8
    bytes of SHA-256 of `noun:id:epoch:version:content_hash`; its bucket is the last byte of its id.
    """
    service.own(known, who, id)
    found = await repository.digest(tx, id)
    return DigestOut(node=id, records=found.count, digest=found.hex, buckets=list(found.texts))


@router.get("/{id}/catalogue/digest/{bucket}", summary="摘要的一个分组 A bucket of the digest")
async def bucket(
    id: NodeId, bucket: Annotated[int, Path(ge=0, le=255)], tx: Tx, who: Caller, known: Known
) -> BucketOut:
    """一个分组内的全部记录及其版本。Every record of one bucket, with its version."""
    service.own(known, who, id)
    found = await repository.records(tx, id, bucket)
    rows = [
        RecordOut(noun=one.noun, id=one.id, epoch=one.epoch, version=one.version, content_hash=one.content)
        for one in found
    ]
    return BucketOut(node=id, bucket=bucket, records=rows)
