"""Health checks for orchestrators, and metrics for Prometheus."""

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
    """The process is up."""

    status: Literal["ok"]


class Ready(Health):
    """The service is ready. `position` is the newest event's; `epoch` identifies the log."""

    epoch: str
    position: int


class _Collector(Collector):
    """Reads the statistics at each scrape, so that the hot path does not also have to update metrics."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def collect(self) -> Iterator[Metric]:
        now = self._gate.statistics
        yield CounterMetricFamily("semp_events", "Events in the log.", value=now.events)
        yield CounterMetricFamily("semp_transactions", "Append transactions of this process.", value=now.transactions)
        yield GaugeMetricFamily("semp_queue_events", "Events that wait for a transaction.", value=now.queued)
        yield GaugeMetricFamily("semp_signals", "Signals in memory, including faded ones that are not swept yet.", value=now.signals)
        yield GaugeMetricFamily("semp_subscribers", "Live readers: WebSockets, event streams and MCP subscriptions.", value=now.subscribers)
        yield GaugeMetricFamily("semp_append_leader", "1 if this process appends for all replicas, else 0.", value=int(now.leads))
        yield CounterMetricFamily(
            "semp_handed_on_events", "Events of this process that another replica appended for it.", value=now.handed_on
        )
        yield GaugeMetricFamily(
            "semp_clock_ahead_seconds",
            "Seconds that timestamps are ahead of this machine's clock, after a clock jumped ahead and was corrected.",
            value=now.clock_ahead / 1000,
        )
        yield GaugeMetricFamily(
            "semp_database_available", "1 if the last request to the database was answered, else 0.", value=int(now.available)
        )


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
        """200 as long as the process serves requests, even when the database is not available."""
        return Health("ok")

    @get(
        "/health/ready",
        operation_id="ready",
        summary="Would an event be accepted now?",
        responses={
            200: success(Ready, {"status": "ok", "epoch": "630eb68f-e0fa-5ecc-887a-7c7a62614681", "position": 1}),
            **responses(503),
        },
        sync_to_thread=False,
    )
    def ready(request: Request[Any, Any, Any]) -> Ready:
        """200 with the log's epoch and newest position; 503 while the database is not available, or its disk is full."""
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
                description="Metrics in Prometheus text format.",
                generate_examples=False,
                media_type=MediaType.TEXT,
                examples=[Example(value="semp_events_total 1.0")],
            ),
            **responses(),
        },
        sync_to_thread=False,
    )
    def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Counters and gauges of the log, the append queue, the signals and this process."""
        registry = CollectorRegistry()
        registry.register(_Collector(environment.acting(principal_of(request.scope))))
        registry.register(process)
        return Response(generate_latest(registry), media_type="text/plain; version=1.0.0")

    return Router("/", route_handlers=[live, ready, metrics], tags=["Health"])
