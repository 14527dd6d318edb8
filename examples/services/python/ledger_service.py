"""ledger.v1.Ledger: what was done and undone, in order."""

import sqlite3

import grpc
from google.protobuf.descriptor import MethodDescriptor

import open_streams
from database import Database
from ledger.v1 import ledger_pb2, ledger_pb2_grpc
from timestamps import now, timestamp

_OPERATIONS = {
    "action": ledger_pb2.OPERATION_ACTION,
    "compensate": ledger_pb2.OPERATION_COMPENSATE,
    "verify": ledger_pb2.OPERATION_VERIFY,
}


def record(
    transaction: sqlite3.Connection,
    method: MethodDescriptor,
    context: grpc.ServicerContext,
    state: ledger_pb2.State,
) -> None:
    """Adds a record. It belongs into the transaction that does what it tells of."""
    metadata = dict(context.invocation_metadata())
    transaction.execute(
        "INSERT INTO ledger (time, method, operation, state, action_key, run_id)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            now(),
            f"{method.containing_service.full_name}/{method.name}",
            _OPERATIONS.get(metadata.get("maestro-op"), ledger_pb2.OPERATION_UNSPECIFIED),
            state,
            metadata.get("maestro-action-key") or metadata.get("idempotency-key", ""),
            metadata.get("maestro-run-id", ""),
        ),
    )


class Ledger(ledger_pb2_grpc.LedgerServicer):
    def __init__(self, database: Database) -> None:
        self.database = database

    def List(self, request, context):
        query = (
            "SELECT sequence, time, method, operation, state, action_key, run_id FROM ledger"
            " WHERE ? IN ('', run_id) ORDER BY sequence"
        )
        with self.database.transaction() as transaction:
            rows = transaction.execute(query, (request.run_id,)).fetchall()
        return ledger_pb2.ListResponse(
            records=[
                ledger_pb2.Record(
                    sequence=sequence,
                    time=timestamp(time),
                    method=method,
                    operation=operation,
                    state=state,
                    action_key=action_key,
                    run_id=run_id,
                )
                for sequence, time, method, operation, state, action_key, run_id in rows
            ]
        )

    def ListStreams(self, request, context):
        return ledger_pb2.ListStreamsResponse(streams=open_streams.listed(request.run_id))

    def Reset(self, request, context):
        with self.database.transaction() as transaction:
            for table in ("account", "reservation", "set_aside", "delivery", "barrier", "ledger"):
                transaction.execute(f"DELETE FROM {table}")
        return ledger_pb2.ResetResponse()
