"""Spans for every call, sent to where OTEL_EXPORTER_OTLP_ENDPOINT says; without it, none.

The interceptor takes a call's traceparent from its metadata, so that the span of the service joins
the trace of whoever called.
"""

import os


def start():
    """Returns the server's interceptors, and what to call once the server has ended."""
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return [], lambda: None

    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.grpc import server_interceptor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    name = os.environ.get("OTEL_SERVICE_NAME", "example-python")
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return [server_interceptor(tracer_provider=provider)], provider.shutdown
