"""TLS: from the command line to the server's credentials."""

import argparse
import pathlib

import grpc


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tls-cert", metavar="FILE", help="speak TLS, with this certificate")
    parser.add_argument("--tls-key", metavar="FILE", help="the certificate's key")
    parser.add_argument(
        "--tls-client-ca",
        metavar="FILE",
        help="ask clients for a certificate that this authority signed",
    )


def credentials(
    parser: argparse.ArgumentParser, arguments: argparse.Namespace
) -> grpc.ServerCredentials | None:
    """None for plain text."""
    files = (arguments.tls_cert, arguments.tls_key, arguments.tls_client_ca)
    if files == (None, None, None):
        return None
    cert, key, client_ca = (
        None if file is None else pathlib.Path(file).read_bytes() for file in files
    )
    if cert is None or key is None:
        parser.error("TLS needs both --tls-cert and --tls-key")
    return grpc.ssl_server_credentials(
        [(key, cert)],
        root_certificates=client_ca,
        require_client_auth=client_ca is not None,
    )
