"""The errors of transactions, in the cluster's own terms."""

from typing import Any

Err = str | dict[str, Any]  # of a transaction, in the cluster's JSON: "BlockhashNotFound", {"InstructionError": [...]}


class RejectedTransactionError(Exception):
    """A transaction that a cluster does not put into a block; ``err`` is the reason."""

    def __init__(self, err: Err, logs: list[str] | None = None) -> None:
        super().__init__(str(err))
        self.err = err
        self.logs = logs or []
