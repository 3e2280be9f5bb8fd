"""What platforms hand in at the hub over HTTP, as lines, and what the hub holds of it."""

import json

import pytest
from hub.snapshots import consumers


def provider(id, version=1, *, deleted=False, epoch=None, **data):
    known = {
        "name": "示例·检测中心",
        "credit_code": "91150200MA0N0000X1",
        "division": "150200",
        "state": "active",
    }
    return _line("provider", id, version, deleted, epoch, known | {"example": True} | data)


def offering(id, provider_id, version=1, *, deleted=False, epoch=None, **data):
    known = {
        "provider_id": str(provider_id), "provider_name": "示例·检测中心", "kind": "service", "title": "成分检测",
        "summary": "三日出报告", "category": "testing", "division": "150200", "state": "published", "example": True,
    }  # fmt: skip
    return _line("offering", id, version, deleted, epoch, known | data)


def _line(noun, id, version, deleted, epoch, data):
    line = {"noun": noun, "id": str(id), "deleted": deleted, "data": data}
    return line | ({"version": version} if version else {}) | ({"epoch": epoch} if epoch else {})


@pytest.fixture
async def push(world):
    """Push lines as a platform's staff; the answer's lines."""
    who = {}

    async def push(*lines, node="baotou", status=200, **headers):
        if node not in who:
            who[node] = await world.person(f"staff-{node}", "window_staff", home=node)
        body = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        answer = await world.http.post(
            f"/v1/nodes/{node}/catalogue/changes",
            content=body.encode("utf-8", "surrogatepass"),
            headers=who[node] | {"Content-Type": "application/x-ndjson"} | headers,
        )
        assert answer.status_code == status, answer.text
        return answer.json()

    return push


def outcomes(answer):
    return [line["outcome"] for line in answer["lines"]]


async def copies(world, owner="baotou"):
    """What the hub holds of a platform, as a digest would see it."""
    query = " UNION ALL ".join(
        f"SELECT id, epoch, version, deleted, content_hash, forked FROM catalogue_{noun} WHERE owner = $1"
        for noun in ("providers", "offerings")
    )
    return [tuple(row) for row in await world.rows(f"{query} ORDER BY id", owner)]


async def process(world):
    """The hub's work on snapshots, once."""
    await consumers.work(world.app.state.hub.roster.known)(world.app.state.runtime)


class Keeper:
    """Hands in whole catalogues as the staff of platforms. `who` are their headers."""

    def __init__(self, world):
        self.world, self.who = world, {}

    async def __call__(self, body, *, node="baotou", media="application/x-ndjson", status=202, worked=True):
        """The snapshot when it has been worked on, or the refusal."""
        if node not in self.who:
            self.who[node] = await self.world.person(f"keeper-{node}", "window_staff", home=node)
        if isinstance(body, list):
            body = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in body)
        data = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
        answer = await self.world.http.put(
            f"/v1/nodes/{node}/catalogue", content=data, headers=self.who[node] | {"Content-Type": media}
        )
        assert answer.status_code == status, answer.text
        if status != 202 or not worked:
            return answer.json()
        assert answer.json()["state"] == "received"
        await process(self.world)
        return (await self.world.http.get(answer.headers["Location"], headers=self.who[node])).json()


@pytest.fixture
def hand_in(world):
    return Keeper(world)


async def policy(world, policy, node="baotou"):
    """How a platform tells of deletions."""
    await world.rows("UPDATE members SET deletion_policy = $1 WHERE id = $2", policy, node)
