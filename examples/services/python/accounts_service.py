"""accounts.v1.Accounts"""

import sqlite3

import grpc

import barrier
from accounts.v1 import accounts_pb2, accounts_pb2_grpc
from database import Database
from rpc_error import RpcError, require
from timestamps import now, timestamp

_METHODS = accounts_pb2.DESCRIPTOR.services_by_name["Accounts"].methods_by_name


class Accounts(accounts_pb2_grpc.AccountsServicer):
    def __init__(self, database: Database) -> None:
        self.database = database

    @barrier.act(_METHODS["CreateAccount"])
    def CreateAccount(self, request, transaction):
        require("account_id", request.account_id)
        require("email", request.email)
        tier = request.tier or accounts_pb2.TIER_STANDARD
        try:
            transaction.execute(
                "INSERT INTO account VALUES (?, ?, ?, ?)",
                (request.account_id, request.email, tier, now()),
            )
        except sqlite3.IntegrityError:
            raise _exists(f"Account exists: {request.account_id}") from None
        account = _account(transaction, request.account_id)
        return accounts_pb2.CreateAccountResponse(account=account)

    @barrier.undo(_METHODS["DeleteAccount"])
    def DeleteAccount(self, request, transaction):
        _account(transaction, request.account_id)
        # The profile goes with it: see the schema.
        transaction.execute("DELETE FROM account WHERE account_id = ?", (request.account_id,))
        return accounts_pb2.DeleteAccountResponse()

    @barrier.verify(_METHODS["GetAccount"])
    def GetAccount(self, request, transaction):
        account = _account(transaction, request.account_id)
        return accounts_pb2.GetAccountResponse(account=account)

    @barrier.act(_METHODS["CreateProfile"])
    def CreateProfile(self, request, transaction):
        require("display_name", request.display_name)
        _account(transaction, request.account_id)
        try:
            transaction.execute(
                "INSERT INTO profile VALUES (?, ?, ?, ?)",
                (request.account_id, request.display_name, request.locale or "en", now()),
            )
        except sqlite3.IntegrityError:
            raise _exists(f"Profile exists: {request.account_id}") from None
        profile = _profile(transaction, request.account_id)
        return accounts_pb2.CreateProfileResponse(profile=profile)

    @barrier.undo(_METHODS["DeleteProfile"])
    def DeleteProfile(self, request, transaction):
        _profile(transaction, request.account_id)
        transaction.execute("DELETE FROM profile WHERE account_id = ?", (request.account_id,))
        return accounts_pb2.DeleteProfileResponse()


def _account(transaction: sqlite3.Connection, account_id: str) -> accounts_pb2.Account:
    query = "SELECT email, tier, create_time FROM account WHERE account_id = ?"
    row = transaction.execute(query, (account_id,)).fetchone()
    if row is None:
        raise RpcError(grpc.StatusCode.NOT_FOUND, f"Cannot find account: {account_id}")
    email, tier, create_time = row
    return accounts_pb2.Account(
        account_id=account_id, email=email, tier=tier, create_time=timestamp(create_time)
    )


def _profile(transaction: sqlite3.Connection, account_id: str) -> accounts_pb2.Profile:
    query = "SELECT display_name, locale, create_time FROM profile WHERE account_id = ?"
    row = transaction.execute(query, (account_id,)).fetchone()
    if row is None:
        raise RpcError(grpc.StatusCode.NOT_FOUND, f"Cannot find profile: {account_id}")
    display_name, locale, create_time = row
    return accounts_pb2.Profile(
        account_id=account_id,
        display_name=display_name,
        locale=locale,
        create_time=timestamp(create_time),
    )


def _exists(message: str) -> RpcError:
    return RpcError(grpc.StatusCode.ALREADY_EXISTS, message)
