"""One SQLite database holds what the services keep, the barrier's rows and the ledger, so that one
transaction can cover all three."""

import contextlib
import pathlib
import sqlite3
import threading
from collections.abc import Iterator

import grpc

_SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
  account_id TEXT PRIMARY KEY, email TEXT NOT NULL, tier INTEGER NOT NULL, create_time TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS profile (
  account_id TEXT PRIMARY KEY REFERENCES account ON DELETE CASCADE,
  display_name TEXT NOT NULL, locale TEXT NOT NULL, create_time TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS reservation (
  order_id TEXT PRIMARY KEY, total INTEGER NOT NULL, create_time TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS reserved_item (
  order_id TEXT NOT NULL REFERENCES reservation ON DELETE CASCADE,
  line INTEGER NOT NULL, sku TEXT NOT NULL, quantity INTEGER NOT NULL, PRIMARY KEY (order_id, line)
);
CREATE TABLE IF NOT EXISTS set_aside (
  sku TEXT PRIMARY KEY, quantity INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS delivery (
  delivery_id TEXT PRIMARY KEY, sku TEXT NOT NULL, quantity INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS barrier (
  key TEXT PRIMARY KEY, state TEXT NOT NULL, response BLOB
);
CREATE TABLE IF NOT EXISTS ledger (
  sequence INTEGER PRIMARY KEY, time TEXT NOT NULL, method TEXT NOT NULL,
  operation INTEGER NOT NULL, state INTEGER NOT NULL, action_key TEXT NOT NULL, run_id TEXT NOT NULL
);
"""


class Database:
    def __init__(self, directory: str | None) -> None:
        """Opens the database in a directory, made when missing. Without one, it is in memory."""
        path = ":memory:"
        if directory is not None:
            pathlib.Path(directory).mkdir(parents=True, exist_ok=True)
            path = str(pathlib.Path(directory, "services.db"))
        # One connection for all threads, taken in turns: SQLite has one writer anyway.
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._turn = threading.Lock()
        # How many rows were ever changed, and who waits for that to grow.
        self._changes = 0
        self._changed = threading.Condition()
        # FULL: what was committed survives a power cut, not only a crash of the program.
        self._connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
            + _SCHEMA
        )

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of what is done inside happens or, when it raises, nothing of it."""
        with self._turn:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
            changes = self._connection.total_changes
        with self._changed:
            self._changes = max(self._changes, changes)
            self._changed.notify_all()

    def changes(self, context: grpc.ServicerContext) -> Iterator[None]:
        """Comes at once, and again whenever something was changed, until the call ends. Whoever
        reads each time misses nothing."""
        seen = None
        context.add_callback(self._wake)
        while context.is_active():
            with self._changed:
                self._changed.wait_for(
                    lambda: self._changes != seen or not context.is_active()
                )
                seen = self._changes
            yield

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        with self._turn:
            self._connection.close()
