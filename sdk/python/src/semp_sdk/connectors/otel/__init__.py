"""Connector for OpenTelemetry: GenAI spans, and spans of OpenInference, of any framework are recorded as events.

    from semp_sdk.connectors.otel import SempSpanProcessor

    provider.add_span_processor(SempSpanProcessor("http://localhost:5000", scope="shop"))

Needs the extra `otel`.
"""

from semp_sdk.connectors.otel.logs import SempLogRecordProcessor
from semp_sdk.connectors.otel.processor import SempSpanProcessor

__all__ = ["SempLogRecordProcessor", "SempSpanProcessor"]
