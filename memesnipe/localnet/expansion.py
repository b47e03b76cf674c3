"""The transaction that LiteSVM runs in place of one that calls emulated programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from solders.compute_budget import ID as COMPUTE_BUDGET
from solders.compute_budget import set_compute_unit_limit
from solders.hash import Hash
from solders.instruction import AccountMeta, CompiledInstruction, Instruction
from solders.message import MessageHeader, MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import ID as SYSTEM
from solders.transaction import VersionedTransaction

from memesnipe.localnet.errors import Err
from memesnipe.localnet.lookup_tables import Keys
from memesnipe.localnet.programs import EmulatedProgram, Expansion, MarketAccounts, ProgramError

# Compute units that an instruction gets if the transaction sets no limit (Agave's compute budget, SIMD-0170).
_DEFAULT_UNITS: Final = 200_000
_BUILTIN_UNITS: Final = 3_000
_MAX_UNITS: Final = 1_400_000
_SET_LIMIT: Final = 2  # first byte of the instruction
_FAILS: Final = Instruction(SYSTEM, b"\xff\xff\xff\xff", [])  # no instruction of the system program
ADDED: Final = -1  # the origin of an instruction that the transaction does not have


@dataclass(frozen=True, slots=True)
class Emulated:
    """An instruction of an emulated program: what it causes, or how it fails."""

    program_id: Pubkey
    expansion: Expansion
    error: Err | None = None
    error_logs: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class VmTransaction:
    """What LiteSVM runs. ``origins`` has for each of its instructions the index in the original transaction."""

    transaction: VersionedTransaction
    instructions: list[Instruction]
    origins: list[int]
    emulated: dict[int, Emulated]  # by index in the original transaction
    units: int  # compute units that it may consume
    added_signers: int  # programs that sign for their addresses; LiteSVM charges a fee for each


def expand(
    transaction: VersionedTransaction,
    keys: Keys,
    programs: Mapping[Pubkey, EmulatedProgram],
    state: MarketAccounts,
    forced_error: int | None = None,
) -> VmTransaction:
    """Return what LiteSVM runs for a transaction.

    Args:
        transaction: as it was signed.
        keys: of the transaction.
        programs: emulated programs by address.
        state: the accounts before the transaction.
        forced_error: a custom error with which the last instruction fails; None for none.
    """
    original = [keys.instruction(compiled) for compiled in transaction.message.instructions]
    units = _unit_limit(original)
    instructions: list[Instruction] = []
    origins: list[int] = []
    emulated: dict[int, Emulated] = {}
    for index, instruction in enumerate(original):
        caused = [instruction]
        if forced_error is not None and index == len(original) - 1:
            emulated[index] = Emulated(instruction.program_id, Expansion([_FAILS]), {"Custom": forced_error})
            caused = [_FAILS]
        elif instruction.program_id in programs:
            emulated[index] = _emulate(programs[instruction.program_id], instruction, keys, state)
            caused = emulated[index].expansion.instructions
        instructions += caused
        origins += [index] * len(caused)
        if index in emulated and emulated[index].error is not None:
            break  # nothing after it runs
    if not emulated:
        return VmTransaction(transaction, instructions, origins, emulated, units, 0)
    if not _has_limit(instructions):
        instructions.append(set_compute_unit_limit(units))
        origins.append(ADDED)
    message = _compile(keys, instructions, transaction.message.recent_blockhash)
    signers = message.header.num_required_signatures
    unsigned = VersionedTransaction.populate(message, [Signature.default()] * signers)
    return VmTransaction(unsigned, instructions, origins, emulated, units, signers - keys.signers)


def _emulate(program: EmulatedProgram, instruction: Instruction, keys: Keys, state: MarketAccounts) -> Emulated:
    try:
        expansion = program.expand(bytes(instruction.data), list(instruction.accounts), state)
    except ProgramError as error:
        return Emulated(program.program_id, Expansion([_FAILS]), {"Custom": error.code}, error.log_lines)
    escalated = _escalated(expansion, keys)
    if escalated is not None:
        return Emulated(program.program_id, Expansion([_FAILS]), "PrivilegeEscalation", [escalated])
    return Emulated(program.program_id, expansion)


def _escalated(expansion: Expansion, keys: Keys) -> str | None:
    """Return the cluster's log line if an expansion takes a privilege that the transaction does not give; else None."""
    given = {key: (index < keys.signers, keys.flags[index]) for index, key in enumerate(keys.all)}
    for instruction in expansion.instructions:
        for meta in instruction.accounts:
            is_signer, is_writable = given.get(meta.pubkey, (False, True))
            if meta.is_signer and not is_signer and meta.pubkey.is_on_curve():
                return f"{meta.pubkey}'s signer privilege escalated"
            if meta.is_writable and not is_writable:
                return f"{meta.pubkey}'s writable privilege escalated"
    return None


def _is_limit(instruction: Instruction) -> bool:
    return instruction.program_id == COMPUTE_BUDGET and bytes(instruction.data)[:1] == bytes([_SET_LIMIT])


def _has_limit(instructions: Sequence[Instruction]) -> bool:
    return any(_is_limit(instruction) for instruction in instructions)


def _unit_limit(instructions: Sequence[Instruction]) -> int:
    """Return the compute units that a transaction may consume."""
    for instruction in instructions:
        if _is_limit(instruction):
            return min(int.from_bytes(bytes(instruction.data)[1:5], "little"), _MAX_UNITS)
    builtin = sum(instruction.program_id in (COMPUTE_BUDGET, SYSTEM) for instruction in instructions)
    return min(builtin * _BUILTIN_UNITS + (len(instructions) - builtin) * _DEFAULT_UNITS, _MAX_UNITS)


def _compile(keys: Keys, instructions: Sequence[Instruction], blockhash: Hash) -> MessageV0:
    """Return a message with all signers of the original, used or not: the fee depends on their number."""
    metas = [
        AccountMeta(key, is_signer=True, is_writable=keys.flags[i]) for i, key in enumerate(keys.static[: keys.signers])
    ]
    for instruction in instructions:
        metas += instruction.accounts
        metas.append(AccountMeta(instruction.program_id, is_signer=False, is_writable=False))
    signed: dict[Pubkey, bool] = {}
    written: dict[Pubkey, bool] = {}
    for meta in metas:
        signed[meta.pubkey] = signed.get(meta.pubkey, False) or meta.is_signer
        written[meta.pubkey] = written.get(meta.pubkey, False) or meta.is_writable
    ordered = sorted(signed, key=lambda key: (not signed[key], not written[key]))  # stable: the fee payer stays first
    position = {key: index for index, key in enumerate(ordered)}
    compiled = [
        CompiledInstruction(
            position[one.program_id], bytes(one.data), bytes(position[meta.pubkey] for meta in one.accounts)
        )
        for one in instructions
    ]
    header = MessageHeader(
        sum(signed.values()),
        sum(signed[key] and not written[key] for key in ordered),
        sum(not signed[key] and not written[key] for key in ordered),
    )
    return MessageV0(header, ordered, blockhash, compiled, [])
