"""Health and metrics, for orchestrators and scrapers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from litestar import MediaType, Request, Response, Router, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from semp.api.errors import responses
from semp.api.examples import success
from semp.api.security.credentials import principal_of
from semp.engine.environment import Environment
from semp.engine.gate import Gate


class Health(msgspec.Struct):
    """What is up."""

    status: Literal["ok"]


class Ready(Health):
    """What is up, and where the log stands."""

    epoch: str
    position: int


class _Collector(Collector):
    """Reads the figures when they are asked for, so that the hot path counts nothing twice."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def collect(self) -> Iterator[Metric]:
        now = self._gate.statistics
        yield CounterMetricFamily("semp_events", "Events in the log.", value=now.events)
        yield CounterMetricFamily("semp_transactions", "Append transactions of this process.", value=now.transactions)
        yield GaugeMetricFamily("semp_queue_events", "Events that wait for a transaction.", value=now.queued)
        yield GaugeMetricFamily("semp_signals", "Signals in memory, faded ones not yet swept included.", value=now.signals)
        yield GaugeMetricFamily("semp_subscribers", "Live readers: WebSockets, event streams and MCP subscriptions.", value=now.subscribers)
        yield GaugeMetricFamily(
            "semp_clock_ahead_seconds",
            "How far timestamps are ahead of this machine's clock, since a clock had jumped ahead and was corrected.",
            value=now.clock_ahead / 1000,
        )
        yield GaugeMetricFamily("semp_database_available", "1 when the database answered last.", value=int(now.available))


def health_routes(environment: Environment) -> Router:
    """`/health/live`, `/health/ready`, `/metrics`."""
    process = ProcessCollector(registry=CollectorRegistry())

    @get(
        "/health/live",
        operation_id="live",
        summary="Is the process alive?",
        responses={200: success(Health, {"status": "ok"}), **responses()},
        sync_to_thread=False,
    )
    def live() -> Health:
        """Answers as long as the process serves requests, whatever the database does."""
        return Health("ok")

    @get(
        "/health/ready",
        operation_id="ready",
        summary="Would an event be taken now?",
        responses={200: success(Ready, {"status": "ok", "epoch": "x", "position": 1}), **responses(503)},
        sync_to_thread=False,
    )
    def ready(request: Request[Any, Any, Any]) -> Ready:
        """200 when the database answered last, with the log's epoch and newest position; 503 while it is away, or its disk is full."""
        gate = environment.acting(principal_of(request.scope))
        gate.require_ready()
        return Ready("ok", gate.state.epoch, gate.state.head)

    @get(
        "/metrics",
        operation_id="metrics",
        summary="Metrics in Prometheus text format",
        media_type=MediaType.TEXT,
        responses={
            200: ResponseSpec(
                data_container=str,
                description="x",
                generate_examples=False,
                media_type=MediaType.TEXT,
                examples=[Example(value="semp_events_total 1.0")],
            ),
            **responses(),
        },
        sync_to_thread=False,
    )
    def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Counters and gauges of the log, the queue, the signals and this process."""
        registry = CollectorRegistry()
        registry.register(_Collector(environment.acting(principal_of(request.scope))))
        registry.register(process)
        return Response(generate_latest(registry), media_type="text/plain; version=1.0.0")

    return Router("/", route_handlers=[live, ready, metrics], tags=["Health"])
