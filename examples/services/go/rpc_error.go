package main

import (
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// domain says whose reasons these are: a reason is unique within its domain.
const domain = "services.example.com"

// rpcError makes an error that a program can tell apart. Messages are for
// people and change; the reason, a google.rpc.ErrorInfo in the status's
// details, is for programs and doesn't. An empty reason is left out.
func rpcError(code codes.Code, reason, format string, args ...any) error {
	plain := status.Newf(code, format, args...)
	if reason == "" {
		return plain.Err()
	}
	detailed, err := plain.WithDetails(&errdetails.ErrorInfo{Reason: reason, Domain: domain})
	if err != nil {
		return plain.Err()
	}
	return detailed.Err()
}
