"""The calls that instructions of a transaction made, as a node keeps them."""

import base64
from typing import Final, NamedTuple

from solders.transaction_metadata import TransactionMetadata

from memesnipe.localnet.expansion import ADDED, VmTransaction
from memesnipe.localnet.lookup_tables import Keys

# Anchor's instruction of a program to itself, which has an event as data; trading programs write each event to the log
# and in such a call, which is whole even if the log is cut.
_SELF_CALL: Final = bytes.fromhex("e445a52e51cb9a1d")
_EVENT: Final = "Program data: "


class InnerCall(NamedTuple):
    """A call of one program by another."""

    program: int  # index among the keys of the transaction
    accounts: list[int]
    data: bytes
    height: int  # 2 for a call by an instruction of the transaction


def inner_calls(meta: TransactionMetadata, run: VmTransaction, keys: Keys) -> list[tuple[int, list[InnerCall]]]:
    """Return the calls by index of the instruction.

    An emulated program makes the calls by which it logs its events. The transfers in its place are left out: their
    accounts need not be among the keys of the transaction.
    """
    position = {key: index for index, key in enumerate(keys.all)}
    vm_keys = run.transaction.message.account_keys if run.emulated else keys.all
    found: dict[int, list[InnerCall]] = {}
    for origin, calls in zip(run.origins, meta.inner_instructions(), strict=False):  # it ends at a failed instruction
        if origin == ADDED or origin in run.emulated:
            continue
        for call in calls:
            one = call.instruction()
            accounts = [position[vm_keys[index]] for index in one.accounts]
            program = position[vm_keys[one.program_id_index]]
            found.setdefault(origin, []).append(InnerCall(program, accounts, bytes(one.data), call.stack_height() or 2))
    for origin, emulated in run.emulated.items():
        for line in emulated.expansion.log_lines:
            if line.startswith(_EVENT):
                data = _SELF_CALL + base64.b64decode(line.removeprefix(_EVENT))
                found.setdefault(origin, []).append(InnerCall(position[emulated.program_id], [], data, 2))
    return sorted(found.items())
