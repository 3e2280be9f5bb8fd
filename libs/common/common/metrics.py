"""Prometheus figures of one service, on /metrics."""

import time

from fastapi import FastAPI, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.runtime import Runtime
from common.trace import traceparent

# What anybody may send must not become a label of its own.
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0)


class Measured:
    """Counts and times requests by route; hands W3C trace context on. Plain ASGI: it is on every path."""

    def __init__(self, app: ASGIApp, seconds: Histogram):
        self.app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        given = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
        token = traceparent.set(given.decode("ascii", "ignore")[:55] or None)
        try:
            await self.app(scope, receive, observed)
        finally:
            traceparent.reset(token)
            route = scope.get("route")
            path = getattr(route, "path", "other")
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._seconds.labels(method, path, str(status)).observe(time.perf_counter() - started)


def install(app: FastAPI, runtime: Runtime, registry: CollectorRegistry) -> None:
    seconds = Histogram(
        "http_request_seconds",
        "Time to answer",
        ("method", "route", "status"),
        buckets=BUCKETS,
        registry=registry,
    )
    sent = Counter("outbox_sent", "Messages the broker has acknowledged", registry=registry)
    unsent = Gauge("outbox_unsent", "Messages the broker has not acknowledged", registry=registry)
    unconfirmed = Gauge("outbox_unconfirmed", "Messages without their reader's receipt", registry=registry)
    parked = Gauge("dead_letters", "Messages that are parked and not settled", registry=registry)
    leading = Gauge("sequencer_leading", "Whether this process sends for its service", registry=registry)
    violations = Gauge(
        "bus_permission_violations", "Refusals by the broker: a wrong configuration", registry=registry
    )
    connected = Gauge("bus_connected", "Whether the bus is there", registry=registry)
    expires = Gauge(
        "certificate_expires_timestamp_seconds",
        "When this node's certificate ends; 0: none",
        registry=registry,
    )
    fenced = Gauge(
        "fenced", "Whether the hub holds what this node says: its database went back", registry=registry
    )
    offset = Gauge("clock_offset_seconds", "Hub's clock minus ours at the last receipt", registry=registry)
    app.add_middleware(Measured, seconds=seconds)

    @app.get("/metrics", include_in_schema=False)
    async def figures() -> Response:
        sent._value.set(runtime.sequencer.sent)  # pyright: ignore[reportPrivateUsage]
        unsent.set(runtime.heart.unsent)
        unconfirmed.set(runtime.heart.unconfirmed)
        parked.set(runtime.heart.dead_letters)
        leading.set(runtime.sequencer.leading)
        violations.set(runtime.bus.violations)
        connected.set(runtime.bus.connected)
        certificate = runtime.bus.certificate
        expires.set(certificate[1].timestamp() if certificate else 0)
        fenced.set(runtime.heart.fenced is not None)
        offset.set(runtime.heart.clock_offset_s)
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
