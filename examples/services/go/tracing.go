package main

import (
	"cmp"
	"context"
	"os"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"
)

// startTracing gives the server's options for a span of every call, sent to
// where OTEL_EXPORTER_OTLP_ENDPOINT says; without it, none. The handler takes
// a call's traceparent from its metadata, so that the span of the service
// joins the trace of whoever called. The function sends what is left.
func startTracing(ctx context.Context) ([]grpc.ServerOption, func(context.Context) error, error) {
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" {
		return nil, func(context.Context) error { return nil }, nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, nil, err
	}
	name := cmp.Or(os.Getenv("OTEL_SERVICE_NAME"), "example-go")
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", name))),
	)
	handler := otelgrpc.NewServerHandler(
		otelgrpc.WithTracerProvider(provider),
		otelgrpc.WithPropagators(propagation.TraceContext{}),
	)
	return []grpc.ServerOption{grpc.StatsHandler(handler)}, provider.Shutdown, nil
}
