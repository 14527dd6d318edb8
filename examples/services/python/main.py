"""The example services that are written in Python.

    python main.py --port 50061 --data DIR --tls-cert FILE --tls-key FILE --tls-client-ca FILE

--port 0 is any free port. Without --data, what they know is gone with the program; without
--tls-cert, they speak plain text.
"""

import argparse
import pathlib
import signal
import sys
import threading
from concurrent import futures

# Where protoc wrote what it made of ../proto. Its files import each other from there.
sys.path.insert(0, str(pathlib.Path(__file__).parent / "gen"))

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

import tls
import tracing

from accounts.v1 import accounts_pb2, accounts_pb2_grpc
from accounts_service import Accounts
from database import Database
from inventory.v1 import inventory_pb2, inventory_pb2_grpc
from inventory_service import Inventory
from ledger.v1 import ledger_pb2, ledger_pb2_grpc
from ledger_service import Ledger

# How long calls in flight may take to end once the program was told to stop, in seconds.
_GRACE = 0.5

_SERVICES = [
    accounts_pb2.DESCRIPTOR.services_by_name["Accounts"].full_name,
    inventory_pb2.DESCRIPTOR.services_by_name["Inventory"].full_name,
    ledger_pb2.DESCRIPTOR.services_by_name["Ledger"].full_name,
    health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
]


def main() -> None:
    parser = argparse.ArgumentParser(description="The example services in Python")
    parser.add_argument("--port", type=int, default=50061, help="on 127.0.0.1; 0 is any free port")
    parser.add_argument("--data", metavar="DIR", help="keep state in this directory")
    tls.add_arguments(parser)
    arguments = parser.parse_args()
    credentials = tls.credentials(parser, arguments)

    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())

    database = Database(arguments.data)
    # Without this, a second program could take the same port unnoticed and get half of the calls.
    options = [("grpc.so_reuseport", 0)]
    interceptors, end_tracing = tracing.start()
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=16), interceptors=interceptors, options=options
    )
    accounts_pb2_grpc.add_AccountsServicer_to_server(Accounts(database), server)
    inventory_pb2_grpc.add_InventoryServicer_to_server(Inventory(database), server)
    ledger_pb2_grpc.add_LedgerServicer_to_server(Ledger(database), server)
    health_servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    reflection.enable_server_reflection([*_SERVICES, reflection.SERVICE_NAME], server)

    address = f"127.0.0.1:{arguments.port}"
    if credentials is None:
        port = server.add_insecure_port(address)
    else:
        port = server.add_secure_port(address, credentials)
    server.start()
    for name in ("", *_SERVICES):
        health_servicer.set(name, health_pb2.HealthCheckResponse.SERVING)
    print(f"listening 127.0.0.1:{port}", flush=True)

    told.wait()
    health_servicer.enter_graceful_shutdown()
    server.stop(_GRACE).wait()
    end_tracing()
    database.close()


if __name__ == "__main__":
    main()
