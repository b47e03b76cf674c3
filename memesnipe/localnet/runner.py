"""Runs transactions in LiteSVM: with emulated programs expanded, and the outcome in the terms of the original."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from solders.account import Account
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, SimulatedTransactionInfo, TransactionMetadata

from memesnipe.localnet.accounts import Accounts
from memesnipe.localnet.errors import Err, RejectedTransactionError
from memesnipe.localnet.expansion import ADDED, VmTransaction, expand
from memesnipe.localnet.inner_calls import inner_calls
from memesnipe.localnet.lookup_tables import Keys
from memesnipe.localnet.program_logs import cluster_logs
from memesnipe.localnet.programs import EmulatedProgram
from memesnipe.localnet.records import Balances, Execution, TokenBalance
from memesnipe.localnet.tokens import mint, token_account
from memesnipe.localnet.vm_thread import in_vm_thread

LAMPORTS_PER_SIGNATURE: Final = 5_000
_LIMIT_UNITS: Final = 150  # consumed by the instruction that sets the compute limit


class TransactionState:
    """The accounts as one transaction finds them and, once it has succeeded, changes them (`MarketAccounts`)."""

    def __init__(self, accounts: Accounts, slot: int, unix_timestamp: int) -> None:
        self.slot, self.unix_timestamp = slot, unix_timestamp
        self.pending: dict[Pubkey, Any] = {}
        self.created_lamports = 0
        self._accounts = accounts

    def account(self, address: Pubkey) -> Account | None:
        """Return an account; None if there is none."""
        return self._accounts.get(address)

    def set_account(self, address: Pubkey, account: Account) -> None:
        """Write an account."""
        self.created_lamports += account.lamports - self._accounts.lamports(address)
        self._accounts.put(address, account)


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a transaction would do."""

    err: Err | None
    logs: list[str]
    units: int
    fee: int
    accounts: dict[Pubkey, Account]  # afterwards; without the changes that emulated programs make on success


class Runner:
    """The virtual machine and its accounts."""

    def __init__(self, programs: Mapping[Pubkey, EmulatedProgram]) -> None:
        # Signatures, blockhashes and duplicates are checked by the chain, because LiteSVM knows one blockhash only.
        vm = LiteSVM().with_sigverify(False).with_blockhash_check(False).with_transaction_history(0)
        self.vm = vm.with_log_bytes_limit(None)
        self.accounts = Accounts(self.vm)
        self._programs = programs

    def execute(
        self, transaction: VersionedTransaction, keys: Keys, slot: int, unix_timestamp: int, forced_error: int | None
    ) -> Execution:
        """Run a transaction, and change the accounts.

        Raises:
            RejectedTransactionError: it cannot be put into a block, and changes nothing.
        """
        state = TransactionState(self.accounts, slot, unix_timestamp)
        run = expand(transaction, keys, self._programs, state, forced_error)
        before = self.balances(keys)
        vm_keys = run.transaction.message.account_keys if run.emulated else keys.all
        self.accounts.note(vm_keys)
        self._credit(keys, run)
        paid_from = self.accounts.lamports(keys.static[0])
        result = in_vm_thread(self.vm.send_transaction, run.transaction)
        err = _error(result, run, keys)
        meta = result.meta() if isinstance(result, FailedTransactionMetadata) else result
        logs = cluster_logs(meta.logs(), run, err)
        if err is not None and self.accounts.lamports(keys.static[0]) == paid_from:
            self._credit(keys, run, -1)
            raise RejectedTransactionError(err, logs)
        if err is None:
            for emulated in run.emulated.values():
                emulated.expansion.commit()
            if state.created_lamports:
                raise RuntimeError(f"an emulated program created {state.created_lamports} lamports")
        inner = inner_calls(meta, run, keys) if err is None else []
        return Execution(err, _fee(meta, run), logs, _units(meta, run), before, self.balances(keys), inner)

    def simulate(self, transaction: VersionedTransaction, keys: Keys, slot: int, unix_timestamp: int) -> Simulation:
        """Return what a transaction would do now."""
        run = expand(transaction, keys, self._programs, TransactionState(self.accounts, slot, unix_timestamp))
        self._credit(keys, run)
        result = in_vm_thread(self.vm.simulate_transaction, run.transaction)
        self._credit(keys, run, -1)
        err = _error(result, run, keys)
        meta = result.meta()
        changed = dict(result.post_accounts()) if isinstance(result, SimulatedTransactionInfo) else {}
        return Simulation(err, cluster_logs(meta.logs(), run, err), _units(meta, run), _fee(meta, run), changed)

    def balances(self, keys: Keys) -> Balances:
        """Return the balances of accounts."""
        lamports: list[int] = []
        tokens: list[TokenBalance] = []
        for index, key in enumerate(keys.all):
            account = self.accounts.get(key)
            lamports.append(account.lamports if account is not None else 0)
            found = token_account(account)
            minted = mint(self.accounts.get(found.mint)) if found is not None else None
            if account is not None and found is not None and minted is not None:
                tokens.append(
                    TokenBalance(index, found.mint, found.owner, account.owner, found.amount, minted.decimals)
                )
        return Balances(lamports, tokens)

    def _credit(self, keys: Keys, run: VmTransaction, sign: int = 1) -> None:
        """Give the fee payer what LiteSVM will charge for signatures that the original transaction does not have."""
        payer = self.vm.get_account(keys.static[0])
        if not run.added_signers or payer is None:
            return
        lamports = payer.lamports + sign * run.added_signers * LAMPORTS_PER_SIGNATURE
        credited = Account(lamports, payer.data, payer.owner, payer.executable, payer.rent_epoch)
        self.vm.set_account(keys.static[0], credited)


def _fee(meta: TransactionMetadata, run: VmTransaction) -> int:
    return max(meta.fee() - run.added_signers * LAMPORTS_PER_SIGNATURE, 0)  # 0: rejected before its fee was known


def _units(meta: TransactionMetadata, run: VmTransaction) -> int:
    return max(meta.compute_units_consumed() - (_LIMIT_UNITS if ADDED in run.origins else 0), 0)


def _error(
    result: TransactionMetadata | FailedTransactionMetadata | SimulatedTransactionInfo, run: VmTransaction, keys: Keys
) -> Err | None:
    """Return the error of a run in the terms of the original transaction; None if it succeeded."""
    if not isinstance(result, FailedTransactionMetadata):
        return None
    err: Err = json.loads(result.to_json())["err"]
    if not run.emulated or isinstance(err, str):
        return err
    if "InstructionError" in err:
        index, reason = err["InstructionError"]
        origin = run.origins[index]
        emulated = run.emulated.get(origin)
        return {"InstructionError": [origin, emulated.error if emulated and emulated.error is not None else reason]}
    if "InsufficientFundsForRent" in err:
        key = run.transaction.message.account_keys[err["InsufficientFundsForRent"]["account_index"]]
        return {"InsufficientFundsForRent": {"account_index": keys.all.index(key)}}
    return err
