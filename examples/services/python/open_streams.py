"""Handlers of streaming methods, and which of their calls have not ended, for who wants to see that
a cancelled call ends here too."""

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from ledger.v1 import ledger_pb2

_open: dict[object, ledger_pb2.Stream] = {}
_turn = threading.Lock()

# It takes less than a millisecond, unless the machine is very busy.
_HEAR_SECONDS = 0.05

Answer = Callable[[object, object, grpc.ServicerContext], Message]
Answers = Callable[[object, object, grpc.ServicerContext], Iterator[Message]]


def streaming(method: MethodDescriptor) -> Callable[[Answers], Answers]:
    """A handler that answers with a stream."""

    def decorate(handle: Answers) -> Answers:
        @functools.wraps(handle)
        def generate(self, request, context: grpc.ServicerContext) -> Iterator[Message]:
            with _opened(method, context):
                yield from handle(self, request, context)

        return generate

    return decorate


def collecting(method: MethodDescriptor) -> Callable[[Answer], Answer]:
    """A handler of a client's stream. It gets the list of the messages once all are there: a stream
    that breaks off does nothing."""

    def decorate(handle: Answer) -> Answer:
        @functools.wraps(handle)
        def collect(self, requests: Iterator[Message], context: grpc.ServicerContext) -> Message:
            with _opened(method, context):
                collected = list(requests)
                _refuse_broken(context)
                return handle(self, collected, context)

        return collect

    return decorate


def _refuse_broken(context: grpc.ServicerContext) -> None:
    """Ends a call whose client's stream broke off. grpcio tells of that as of the stream's end, and
    of the cancellation right after: hear that first."""
    cancelled = threading.Event()
    if not context.add_callback(cancelled.set) or cancelled.wait(_HEAR_SECONDS):
        context.abort(grpc.StatusCode.CANCELLED, "The stream broke off")


def listed(run_id: str) -> list[ledger_pb2.Stream]:
    """The open streams of a run, or all."""
    with _turn:
        return [stream for stream in _open.values() if run_id in ("", stream.run_id)]


@contextlib.contextmanager
def _opened(method: MethodDescriptor, context: grpc.ServicerContext) -> Iterator[None]:
    key = object()
    stream = ledger_pb2.Stream(
        method=f"{method.containing_service.full_name}/{method.name}",
        run_id=dict(context.invocation_metadata()).get("maestro-run-id", ""),
    )
    with _turn:
        _open[key] = stream
    try:
        yield
    finally:
        with _turn:
            del _open[key]
