"""inventory.v1.Inventory"""

import dataclasses
import sqlite3

import grpc

import barrier
from database import Database
from inventory.v1 import inventory_pb2, inventory_pb2_grpc
from money.v1 import money_pb2
from rpc_error import RpcError, require
from timestamps import now, timestamp

_METHODS = inventory_pb2.DESCRIPTOR.services_by_name["Inventory"].methods_by_name


@dataclasses.dataclass(frozen=True)
class _Article:
    price: int  # in euro cents
    stock: int


_CATALOGUE = {
    "KEYBOARD": _Article(price=8_990, stock=1_000_000),
    "MOUSE": _Article(price=2_950, stock=1_000_000),
    # Few, to see a shop run out of stock.
    "TURNTABLE": _Article(price=64_900, stock=3),
}


class Inventory(inventory_pb2_grpc.InventoryServicer):
    def __init__(self, database: Database) -> None:
        self.database = database

    @barrier.act(_METHODS["Reserve"])
    def Reserve(self, request, transaction):
        require("order_id", request.order_id)
        if not request.items:
            raise RpcError(grpc.StatusCode.INVALID_ARGUMENT, "Cannot be empty: items")
        total = sum(_take(transaction, item) for item in request.items)
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


def _take(transaction: sqlite3.Connection, item: inventory_pb2.Item) -> int:
    """Sets an item aside and tells what it costs, in euro cents."""
    article = _CATALOGUE.get(item.sku)
    if article is None:
        raise RpcError(grpc.StatusCode.NOT_FOUND, f"Cannot find SKU: {item.sku}")
    if item.quantity < 1:
        message = f"Must be at least 1: quantity {item.quantity}"
        raise RpcError(grpc.StatusCode.INVALID_ARGUMENT, message)
    (taken,) = transaction.execute(
        "INSERT INTO set_aside VALUES (?, ?)"
        " ON CONFLICT (sku) DO UPDATE SET quantity = quantity + excluded.quantity"
        " RETURNING quantity",
        (item.sku, item.quantity),
    ).fetchone()
    if taken > article.stock:
        message = f"Out of stock: {item.sku}"
        raise RpcError(grpc.StatusCode.FAILED_PRECONDITION, message, "OUT_OF_STOCK")
    return article.price * item.quantity


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
