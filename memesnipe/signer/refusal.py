"""Refusals of the signer: a code for programs and a line for people."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a transaction is not signed; the codes are part of the HTTP interface and of the audit log."""

    DISABLED = "disabled"
    HALTED = "halted"
    UNAVAILABLE = "unavailable"
    MALFORMED = "malformed"
    VERSION = "version"
    SIGNATURES = "signatures"
    FEE_PAYER = "fee_payer"
    LOOKUP_TABLE = "lookup_table"
    PROGRAM = "program"
    INSTRUCTION = "instruction"
    DURABLE_NONCE = "durable_nonce"
    COMPUTE_BUDGET = "compute_budget"
    ACCOUNT = "account"
    DESTINATION = "destination"
    SWAP = "swap"
    INTENT = "intent"
    STALE = "stale"
    PRIORITY_FEE = "priority_fee"
    TIP = "tip"
    SPEND_TRANSACTION = "spend_transaction"
    SPEND_HOUR = "spend_hour"
    SPEND_DAY = "spend_day"
    EXIT_COSTS = "exit_costs"
    ORDER_SIGNED = "order_signed"
    BLOCKHASH = "blockhash"
    RPC = "rpc"
    SIMULATION = "simulation"
    BALANCE = "balance"
    AUTHORITY = "authority"
    INTERNAL = "internal"


class RefusedError(Exception):
    """The transaction is not signed.

    Args:
        reason: the code.
        detail: one line, made of public data only.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
