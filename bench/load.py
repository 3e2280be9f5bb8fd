"""A small HTTP load generator: keep-alive connections, one request at a time on each.

Cheap on purpose: on two cores a slow client would hide what the server does. Run as its own process:
`python -m bench.load HOST PORT CLIENTS SECONDS < requests.json`, where the input is
`{"path", "headers", "body", "vary": [text fields made unique per request]}`; it prints one JSON line.
"""

import asyncio
import json
import subprocess
import sys
import time
from typing import Any

import uvloop


async def _client(
    host: str, port: int, plan: dict[str, Any], number: int, until: float, times: list[float]
) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    failures = done = 0
    head = "".join(
        f"{name}: {value}\r\n" for name, value in plan["headers"][number % len(plan["headers"])].items()
    )
    body = plan["body"][number % len(plan["body"])]
    while time.perf_counter() < until:
        done += 1
        content = json.dumps(
            body | {field: f"{body[field]} {number}-{done}" for field in plan["vary"]}
        ).encode()
        key = f"idempotency-key: {plan['run']}-{number}-{done}\r\n" if plan.get("run") else ""
        started = time.perf_counter()
        writer.write(
            f"POST {plan['path']} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(content)}\r\n{head}{key}\r\n".encode()
            + content
        )
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in answer.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        text = await reader.readexactly(length)
        times.append(time.perf_counter() - started)
        if not answer.startswith(b"HTTP/1.1 201"):
            failures += 1
            if failures == 1:
                print(answer.decode(), text.decode(), file=sys.stderr)
    writer.close()
    return failures


async def _load(host: str, port: int, clients: int, seconds: float, plan: dict[str, Any]) -> dict[str, Any]:
    times: list[float] = []
    started = time.perf_counter()
    failures = sum(
        await asyncio.gather(
            *(_client(host, port, plan, n, started + seconds, times) for n in range(clients))
        )
    )
    spent = time.perf_counter() - started
    times.sort()
    return {
        "per_second": (len(times) - failures) / spent,
        "failures": failures,
        "p50_ms": times[len(times) // 2] * 1000,
        "p99_ms": times[int(len(times) * 0.99)] * 1000,
    }


def run(host: str, port: int, clients: int, seconds: float, plan: dict[str, Any]) -> dict[str, Any]:
    """Put load on a server from a process of its own.

    Shape: {"per_second", "failures", "p50_ms", "p99_ms"}.
    """
    command = [sys.executable, "-m", "bench.load", host, str(port), str(clients), str(seconds)]
    done = subprocess.run(command, input=json.dumps(plan), capture_output=True, text=True, check=True)
    if done.stderr:
        print(done.stderr, file=sys.stderr)
    return json.loads(done.stdout)


if __name__ == "__main__":
    _, host, port, clients, seconds = sys.argv
    print(json.dumps(uvloop.run(_load(host, int(port), int(clients), float(seconds), json.load(sys.stdin)))))
