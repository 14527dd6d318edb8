"""What makes a service safe to call from a saga.

A workflow engine that lost an answer asks again, and one that gave up asks to undo. On the wire
such calls overtake each other: the undo may arrive first, and the action after it. The barrier
keeps one row for every call it has seen, unique by the call's key, and writes it in the
transaction that does the work. So that

  - an action that comes again is answered as before, and nothing is done twice;
  - an undo of something that never happened does nothing, and is remembered as "void";
  - an action that arrives after its undo does nothing: it is turned away with ABORTED.

Calls say who they are in their metadata:

  idempotency-key      the call itself, the same over retries and restarts
  maestro-action-key   of an undo or a verification: the idempotency key of its action
  maestro-op           action, compensate or verify
  maestro-run-id       the workflow's run

A call without metadata, say from grpcurl, is simply done.

The decorators turn a method `(self, request, transaction) -> response` of a servicer that has a
`database` into the handler that grpcio wants:

    @barrier.act(_METHODS["CreateAccount"])
    def CreateAccount(self, request, transaction): ...
"""

import functools
import sqlite3
from collections.abc import Callable

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

import ledger_service
from ledger.v1 import ledger_pb2
from rpc_error import RpcError

Work = Callable[[object, Message, sqlite3.Connection], Message]
Handler = Callable[[object, Message, grpc.ServicerContext], Message]


def act(method: MethodDescriptor) -> Callable[[Work], Handler]:
    """Does something: once for each idempotency key."""

    def decorate(work: Work) -> Handler:
        @functools.wraps(work)
        def handle(self, request: Message, context: grpc.ServicerContext) -> Message:
            def do(transaction: sqlite3.Connection) -> Message:
                response = work(self, request, transaction)
                ledger_service.record(transaction, method, context, ledger_pb2.STATE_DONE)
                return response

            return _once(self, method, context, do)

        return handle

    return decorate


def undo(method: MethodDescriptor) -> Callable[[Work], Handler]:
    """Undoes what an action did. The work is done only if that action took place here; if not, the
    answer is an empty response, and the action never will."""

    def decorate(work: Work) -> Handler:
        @functools.wraps(work)
        def handle(self, request: Message, context: grpc.ServicerContext) -> Message:
            def do(transaction: sqlite3.Connection) -> Message:
                action_key = _value(context, "maestro-action-key")
                if action_key is not None:
                    if _settle(transaction, method, context, action_key) == "void":
                        return _response_type(method)()
                    # Not deleted: the row must still stop the action from coming again. And it may
                    # be undone already, since an action can have several undos, each with a key of
                    # its own.
                    _write(transaction, action_key, "undone")
                response = work(self, request, transaction)
                ledger_service.record(transaction, method, context, ledger_pb2.STATE_UNDONE)
                return response

            return _once(self, method, context, do)

        return handle

    return decorate


def verify(method: MethodDescriptor) -> Callable[[Work], Handler]:
    """Reads, and so can tell a workflow whether an action happened. NOT_FOUND is a promise: the
    workflow goes on without the action, which therefore must not come late."""

    def decorate(find: Work) -> Handler:
        @functools.wraps(find)
        def handle(self, request: Message, context: grpc.ServicerContext) -> Message:
            action_key = _value(context, "maestro-action-key")
            try:
                if action_key is not None:
                    with self.database.transaction() as transaction:
                        state = _settle(transaction, method, context, action_key)
                    if state != "done":
                        message = f"The action does not stand: {action_key}"
                        raise RpcError(grpc.StatusCode.NOT_FOUND, message)
                with self.database.transaction() as transaction:
                    return find(self, request, transaction)
            except RpcError as error:
                error.abort(context)

        return handle

    return decorate


def _once(
    servicer,
    method: MethodDescriptor,
    context: grpc.ServicerContext,
    do: Callable[[sqlite3.Connection], Message],
) -> Message:
    """Does the work and remembers its response, unless the call was seen before."""
    key = _value(context, "idempotency-key")
    try:
        with servicer.database.transaction() as transaction:
            if key is None:
                return do(transaction)
            state, seen = _read(transaction, key)
            if state == "done":
                return _response_type(method).FromString(seen)
            if state is not None:
                message = f"Undone before it arrived: {key}"
                raise RpcError(grpc.StatusCode.ABORTED, message, "ACTION_UNDONE")
            response = do(transaction)
            _write(transaction, key, "done", response.SerializeToString())
            return response
    except RpcError as error:
        error.abort(context)


def _settle(
    transaction: sqlite3.Connection,
    method: MethodDescriptor,
    context: grpc.ServicerContext,
    action_key: str,
) -> str:
    """What became of an action. One that never came is made void: from now on it never will."""
    state, _ = _read(transaction, action_key)
    if state is None:
        state = "void"
        _write(transaction, action_key, state)
        ledger_service.record(transaction, method, context, ledger_pb2.STATE_VOID)
    return state


def _read(transaction: sqlite3.Connection, key: str) -> tuple[str | None, bytes | None]:
    query = "SELECT state, response FROM barrier WHERE key = ?"
    return transaction.execute(query, (key,)).fetchone() or (None, None)


def _write(
    transaction: sqlite3.Connection, key: str, state: str, response: bytes | None = None
) -> None:
    transaction.execute("INSERT OR REPLACE INTO barrier VALUES (?, ?, ?)", (key, state, response))


def _value(context: grpc.ServicerContext, key: str) -> str | None:
    return dict(context.invocation_metadata()).get(key)


def _response_type(method: MethodDescriptor) -> type[Message]:
    return message_factory.GetMessageClass(method.output_type)
