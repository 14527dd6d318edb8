"""Errors that a program can tell apart."""

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

# Whose reasons these are: a reason is unique within its domain.
_DOMAIN = "services.example.com"


class RpcError(Exception):
    """A gRPC status to raise from a handler.

    Messages are for people and change. The reason, a google.rpc.ErrorInfo in the status's details,
    is for programs and doesn't.
    """

    def __init__(self, code: grpc.StatusCode, message: str, reason: str | None = None) -> None:
        super().__init__(message)
        self._code = code
        self._reason = reason

    def abort(self, context: grpc.ServicerContext) -> None:
        """Ends the call with this status."""
        status = status_pb2.Status(code=self._code.value[0], message=str(self))
        if self._reason is not None:
            info = any_pb2.Any()
            info.Pack(error_details_pb2.ErrorInfo(reason=self._reason, domain=_DOMAIN))
            status.details.append(info)
        context.abort_with_status(rpc_status.to_status(status))


def require(field: str, value: str) -> None:
    """INVALID_ARGUMENT when a field is empty."""
    if not value:
        raise RpcError(grpc.StatusCode.INVALID_ARGUMENT, f"Cannot be empty: {field}")
