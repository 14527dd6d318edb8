"""What is in stock: a catalogue, what was delivered besides, and what is set aside."""

import dataclasses
import sqlite3

import grpc

from inventory.v1 import inventory_pb2
from rpc_error import RpcError


@dataclasses.dataclass(frozen=True)
class Article:
    price: int  # in euro cents
    stock: int  # before any delivery


_CATALOGUE = {
    "KEYBOARD": Article(price=8_990, stock=1_000_000),
    "MOUSE": Article(price=2_950, stock=1_000_000),
    # Few, to see a shop run out of stock.
    "TURNTABLE": Article(price=64_900, stock=3),
    # What a travel agency sells. Few rooms, to see it fall back on the other hotel.
    "FLIGHT_LISBON": Article(price=18_900, stock=1_000_000),
    "HOTEL_HARBOUR": Article(price=24_500, stock=2),
    "HOTEL_GARDEN": Article(price=21_000, stock=1_000_000),
}


def article(item: inventory_pb2.Item) -> Article:
    """The article of an item, of which there must be at least one."""
    found = _CATALOGUE.get(item.sku)
    if found is None:
        raise RpcError(grpc.StatusCode.NOT_FOUND, f"Cannot find SKU: {item.sku}")
    if item.quantity < 1:
        message = f"Must be at least 1: quantity {item.quantity}"
        raise RpcError(grpc.StatusCode.INVALID_ARGUMENT, message)
    return found


def available(transaction: sqlite3.Connection, sku: str) -> int:
    """How much of an article is in stock and not set aside."""
    (delivered,) = transaction.execute(
        "SELECT COALESCE(SUM(quantity), 0) FROM delivery WHERE sku = ?", (sku,)
    ).fetchone()
    (taken,) = transaction.execute(
        "SELECT COALESCE(SUM(quantity), 0) FROM set_aside WHERE sku = ?", (sku,)
    ).fetchone()
    return _CATALOGUE[sku].stock + delivered - taken


def take(transaction: sqlite3.Connection, item: inventory_pb2.Item) -> int:
    """Sets an item aside and tells what it costs, in euro cents."""
    price = article(item).price
    transaction.execute(
        "INSERT INTO set_aside VALUES (?, ?)"
        " ON CONFLICT (sku) DO UPDATE SET quantity = quantity + excluded.quantity",
        (item.sku, item.quantity),
    )
    refuse_shortage(transaction, item.sku)
    return price * item.quantity


def refuse_shortage(transaction: sqlite3.Connection, sku: str) -> None:
    """FAILED_PRECONDITION when more of an article is set aside than there is."""
    if available(transaction, sku) < 0:
        message = f"Out of stock: {sku}"
        raise RpcError(grpc.StatusCode.FAILED_PRECONDITION, message, "OUT_OF_STOCK")
