"""Invariants that hold after every step of a run, and the check of the whole run at its end."""

from typing import Final

import orjson

from memesnipe.config.policies import capital_of
from memesnipe.market.events import LAMPORTS_PER_SOL
from memesnipe.protocol.account import Account
from memesnipe.protocol.streams import EVENT_STREAMS, FILLS
from memesnipe.roles.desk import DeskRole
from memesnipe.roles.position import PositionRole
from memesnipe.testing.simulator.machine import Machine
from memesnipe.testing.simulator.market import market
from memesnipe.testing.simulator.role_process import Role
from memesnipe.testing.simulator.settings import simulated_settings
from memesnipe.trading.ledger import LedgerState

_ENTRIES: Final = ("buy", "short")


class InvariantError(Exception):
    """The run does not satisfy an invariant."""


class Invariants:
    """Checks a run where it has changed.

    - Published before committed: no entry is in Redis that its writer has not committed, or with another content.
    - Nothing twice and nothing lost: messages and offsets are numbered without gaps, every consumed entry was counted
      once, and no offset decreases.
    - Money: the cash of the desk and that of the ledger are the capital plus the cash changes of the fills that each
      has booked; realised profit and cost of the open positions account for the rest.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine, self._raw = machine, machine.database.raw
        self._changes = 0
        self._offsets: dict[tuple[str, str], int] = {}
        self._fills: list[tuple[str, int]] = []  # account and change of its cash in lamports, by number
        sol_usd = market(machine.market)[0]["sol_usd"]
        capital = capital_of(simulated_settings(), None)
        self._capital_lamports = {
            account: int(one.usd / sol_usd * LAMPORTS_PER_SOL) for account, one in capital.items()
        }
        self.may_be_complete = False
        machine.server.on_entry = self._on_entry

    def _on_entry(self, stream: str, number: int, seq: int, data: bytes) -> None:
        """Compare an entry that is about to be appended with the committed message."""
        run = self._machine.run_id
        if stream in EVENT_STREAMS:
            (committed,) = self._raw.execute("SELECT seq FROM feed_cursors WHERE run_id = ?", (run,)).fetchone()
            if number > committed:
                raise InvariantError(f"event {number} was published, and {committed} events are committed")
            return
        query = "SELECT seq, payload FROM messages WHERE run_id = ? AND stream = ? AND number = ?"
        row = self._raw.execute(query, (run, stream, number)).fetchone()
        if row is None:
            raise InvariantError(f"{stream}/{number} was published, and is not committed")
        if row[0] != seq or row[1].encode() != data:
            raise InvariantError(f"{stream}/{number} was published with another content than committed")

    def check(self) -> None:
        """Check the run if a transaction has changed it since the last call.

        Raises:
            InvariantError: an invariant does not hold.
        """
        changes = self._raw.total_changes
        if changes == self._changes:
            return
        self._changes = changes
        self._check_numbers()
        self._check_offsets()
        self.may_be_complete = self._has_ended()

    def _check_numbers(self) -> None:
        query = "SELECT stream, min(number), max(number), count(*) FROM messages WHERE run_id = ? GROUP BY stream"
        for stream, first, last, count in self._raw.execute(query, (self._machine.run_id,)):
            if count != last - first + 1:
                raise InvariantError(f"{stream}: {count} messages are numbered from {first} to {last}")

    def _check_offsets(self) -> None:
        query = "SELECT actor, stream, number, consumed FROM stream_offsets WHERE run_id = ?"
        for actor, stream, number, consumed in self._raw.execute(query, (self._machine.run_id,)).fetchall():
            key = (actor, stream)
            if number < self._offsets.get(key, 0):
                raise InvariantError(f"{actor}: its offset in {stream} went from {self._offsets[key]} to {number}")
            if consumed != number:
                raise InvariantError(f"{actor}: {consumed} entries of {stream} up to {number} were consumed")
            self._offsets[key] = number

    def _has_ended(self) -> bool:
        query = "SELECT ended FROM feed_cursors WHERE run_id = ?"
        return bool(self._raw.execute(query, (self._machine.run_id,)).fetchone()[0])

    def check_money(self, role: Role) -> None:
        """Compare the cash of desks or ledgers with the fills that they have booked; call it between two steps.

        Raises:
            InvariantError: they differ by a lamport.
        """
        self._read_fills()
        if isinstance(role, DeskRole):
            # A process that was replaced and has not noticed has booked fewer fills than its successor.
            fills = role.journal.numbers_after(role.journal.unit_of_work())[FILLS]
            for account, desk in role.desks.items():
                self._compare_cash(f"desk {account}", account, desk.state.cash_lamports, fills)
        elif isinstance(role, PositionRole):
            booked = role.offsets[FILLS].number
            for account, ledger in role.ledgers.items():
                self._compare_cash(f"ledger {account}", account, ledger.state.cash_lamports, booked)
                if booked == self._offsets.get((role.name, FILLS), 0):  # the positions are those of the newest process
                    self._compare_positions(account, ledger.state)

    def _compare_cash(self, name: str, account: Account, cash_lamports: int, fills: int) -> None:
        changes = sum(change for fill_account, change in self._fills[:fills] if fill_account == account)
        expected = changes + (self._capital_lamports[account] if cash_lamports or fills else 0)
        if cash_lamports != expected:
            raise InvariantError(f"{name}: {cash_lamports} lamports after {fills} fills, which leave {expected}")

    def _compare_positions(self, account: Account, state: LedgerState) -> None:
        """Check that every lamport of capital and profit is cash or the cost of a position."""
        query = (
            "SELECT ifnull(sum(realised_lamports), 0), ifnull(sum(cost_lamports), 0) FROM positions WHERE account = ?"
        )
        realised, cost = self._raw.execute(query, (account,)).fetchone()
        if state.capital_lamports + realised != state.cash_lamports + cost:
            raise InvariantError(
                f"ledger {account}: capital {state.capital_lamports} and realised {realised} lamports are not "
                f"cash {state.cash_lamports} and cost of the positions {cost}"
            )

    def _read_fills(self) -> None:
        """Read the fills that were committed since the last call."""
        query = "SELECT payload FROM messages WHERE stream = ? AND number > ? ORDER BY number"
        for (payload,) in self._raw.execute(query, (FILLS, len(self._fills))).fetchall():
            message = orjson.loads(payload)
            fill = message["fill"]
            sign = -1 if message["side_name"] in _ENTRIES else 1
            change = sign * fill["sol_lamports"] - fill["pool_fee_lamports"] - fill["network_fee_lamports"]
            self._fills.append((message["account"], change))
