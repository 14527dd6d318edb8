"""inventory.v1.Inventory"""

import sqlite3
from collections import Counter

import grpc

import barrier
import stock
from database import Database
from inventory.v1 import inventory_pb2, inventory_pb2_grpc
from money.v1 import money_pb2
from open_streams import collecting, streaming
from rpc_error import RpcError, require
from timestamps import now, timestamp

_METHODS = inventory_pb2.DESCRIPTOR.services_by_name["Inventory"].methods_by_name


class Inventory(inventory_pb2_grpc.InventoryServicer):
    def __init__(self, database: Database) -> None:
        self.database = database

    @barrier.act(_METHODS["Reserve"])
    def Reserve(self, request, transaction):
        require("order_id", request.order_id)
        if not request.items:
            raise RpcError(grpc.StatusCode.INVALID_ARGUMENT, "Cannot be empty: items")
        total = sum(stock.take(transaction, item) for item in request.items)
        try:
            transaction.execute(
                "INSERT INTO reservation VALUES (?, ?, ?)", (request.order_id, total, now())
            )
        except sqlite3.IntegrityError:
            message = f"Reservation exists: {request.order_id}"
            raise RpcError(grpc.StatusCode.ALREADY_EXISTS, message) from None
        transaction.executemany(
            "INSERT INTO reserved_item VALUES (?, ?, ?, ?)",
            [
                (request.order_id, line, item.sku, item.quantity)
                for line, item in enumerate(request.items)
            ],
        )
        reservation = _reservation(transaction, request.order_id)
        return inventory_pb2.ReserveResponse(reservation=reservation)

    @barrier.undo(_METHODS["Release"])
    def Release(self, request, transaction):
        for item in _reservation(transaction, request.order_id).items:
            transaction.execute(
                "UPDATE set_aside SET quantity = quantity - ? WHERE sku = ?",
                (item.quantity, item.sku),
            )
        # The items go with it: see the schema.
        transaction.execute("DELETE FROM reservation WHERE order_id = ?", (request.order_id,))
        return inventory_pb2.ReleaseResponse()

    @barrier.verify(_METHODS["GetReservation"])
    def GetReservation(self, request, transaction):
        reservation = _reservation(transaction, request.order_id)
        return inventory_pb2.GetReservationResponse(reservation=reservation)

    @streaming(_METHODS["ListReservations"])
    def ListReservations(self, request, context):
        # As they went out: one that was released and made again goes out again.
        sent = {}
        for _ in self.database.changes(context):
            # Read at once and sent afterwards: a slow reader must not hold up the database.
            with self.database.transaction() as transaction:
                reservations = _reservations(transaction, request.sku)
            for reservation in reservations:
                if sent.get(reservation.order_id) != reservation:
                    yield inventory_pb2.ListReservationsResponse(reservation=reservation)
                    sent[reservation.order_id] = reservation
            if not request.follow:
                return

    @collecting(_METHODS["Restock"])
    @barrier.act(_METHODS["Restock"])
    def Restock(self, requests, transaction):
        if not requests:
            raise RpcError(grpc.StatusCode.INVALID_ARGUMENT, "Cannot be empty: the stream")
        received = Counter()
        for request in requests:
            require("delivery_id", request.delivery_id)
            stock.article(request.item)
            try:
                transaction.execute(
                    "INSERT INTO delivery VALUES (?, ?, ?)",
                    (request.delivery_id, request.item.sku, request.item.quantity),
                )
            except sqlite3.IntegrityError:
                message = f"Delivery exists: {request.delivery_id}"
                raise RpcError(grpc.StatusCode.ALREADY_EXISTS, message) from None
            received[request.item.sku] += request.item.quantity
        return inventory_pb2.RestockResponse(
            delivery_count=len(requests),
            received=[
                inventory_pb2.Item(sku=sku, quantity=quantity)
                for sku, quantity in sorted(received.items())
            ],
        )

    @barrier.undo(_METHODS["SendBack"])
    def SendBack(self, request, transaction):
        row = transaction.execute(
            "DELETE FROM delivery WHERE delivery_id = ? RETURNING sku", (request.delivery_id,)
        ).fetchone()
        if row is None:
            message = f"Cannot find delivery: {request.delivery_id}"
            raise RpcError(grpc.StatusCode.NOT_FOUND, message)
        stock.refuse_shortage(transaction, row[0])
        return inventory_pb2.SendBackResponse()

    @streaming(_METHODS["CheckStock"])
    def CheckStock(self, requests, context):
        for request in requests:
            item = request.item
            try:
                stock.article(item)
            except RpcError as error:
                error.abort(context)
            with self.database.transaction() as transaction:
                available = stock.available(transaction, item.sku)
            yield inventory_pb2.CheckStockResponse(
                item=item, available=available, enough=available >= item.quantity
            )


def _reservations(
    transaction: sqlite3.Connection, sku: str
) -> list[inventory_pb2.Reservation]:
    """Those that hold an article, or all."""
    query = (
        "SELECT order_id FROM reservation WHERE ?1 = '' OR EXISTS (SELECT 1 FROM reserved_item"
        " WHERE reserved_item.order_id = reservation.order_id AND sku = ?1) ORDER BY order_id"
    )
    rows = transaction.execute(query, (sku,)).fetchall()
    return [_reservation(transaction, order_id) for (order_id,) in rows]


def _reservation(transaction: sqlite3.Connection, order_id: str) -> inventory_pb2.Reservation:
    query = "SELECT total, create_time FROM reservation WHERE order_id = ?"
    row = transaction.execute(query, (order_id,)).fetchone()
    if row is None:
        message = f"Cannot find reservation of order: {order_id}"
        raise RpcError(grpc.StatusCode.NOT_FOUND, message)
    total, create_time = row
    query = "SELECT sku, quantity FROM reserved_item WHERE order_id = ? ORDER BY line"
    items = transaction.execute(query, (order_id,)).fetchall()
    return inventory_pb2.Reservation(
        order_id=order_id,
        items=[inventory_pb2.Item(sku=sku, quantity=quantity) for sku, quantity in items],
        total=money_pb2.Money(currency_code="EUR", minor_units=total),
        create_time=timestamp(create_time),
    )
