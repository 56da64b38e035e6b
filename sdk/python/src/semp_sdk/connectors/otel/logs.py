"""Evaluations that arrive as log records."""

from __future__ import annotations

from opentelemetry.sdk._logs import LogRecordProcessor, ReadWriteLogRecord

from semp_sdk.connectors.otel.conventions import RESULT
from semp_sdk.connectors.otel.processor import SempSpanProcessor


class SempLogRecordProcessor(LogRecordProcessor):
    """Records evaluations that arrive as log records: events named `gen_ai.evaluation.result` in the context of the evaluated span.

    Uses the recording of `spans`.
    """

    def __init__(self, spans: SempSpanProcessor) -> None:
        self._spans = spans

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """A log record was emitted."""
        record = log_record.log_record
        if record.event_name == RESULT and record.trace_id and record.span_id:
            self._spans.evaluated(record.trace_id, record.span_id, record.attributes or {})

    def shutdown(self) -> None:
        """Nothing to do."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """See `SempSpanProcessor.force_flush`."""
        return self._spans.force_flush(timeout_millis)
