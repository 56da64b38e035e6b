"""Spans of any framework that is instrumented with OpenTelemetry become events: GenAI spans, and those of OpenInference.

    from semp_sdk.connectors import Recording
    from semp_sdk.connectors.otel import SempSpanProcessor

    provider.add_span_processor(SempSpanProcessor(Recording(agent_id="shop", scope="shop")))

Needs the extra `otel`.
"""

from semp_sdk.connectors.otel.processor import SempLogRecordProcessor, SempSpanProcessor

__all__ = ["SempLogRecordProcessor", "SempSpanProcessor"]
