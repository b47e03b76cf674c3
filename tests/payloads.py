"""Payloads for tests: the smallest valid ones."""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from memesnipe.engine.genome import Genome
from memesnipe.engine.orders import Fill
from memesnipe.market.events import DEPTH, PRICE, SIDE_NAMES, SOCIAL, empty
from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.events import to_payloads
from memesnipe.protocol.messages import (
    AllocationMessage,
    AppliedCommand,
    CommandMessage,
    ExecutorProgress,
    ExitOrder,
    FillMessage,
    RiskEvent,
)
from memesnipe.protocol.payload import EncodedEntry, encode
from memesnipe.protocol.streams import FILLS, PROGRESS, decoder_of

_KINDS = {"price": PRICE, "social": SOCIAL, "depth": DEPTH}


def event(seq: int, kind: str = "price") -> EncodedEntry:
    """An event of one kind, as market data publishes it."""
    records = empty(1)
    records["seq"], records["kind"], records["token"] = seq, _KINDS[kind], 0
    payload = to_payloads(records, ["A"])[0]
    return payload.stream, seq, seq, encode(payload)


def progress(number: int, seq: int | None = None) -> EncodedEntry:
    """A message of the executor's smallest kind."""
    seq = number if seq is None else seq
    return PROGRESS, number, seq, encode(ExecutorProgress(seq=seq))


def allocations(
    added: Iterable[Genome] = (),
    removed: Iterable[str] = (),
    usd: Mapping[str, float] | None = None,
    seq: int = 0,
    live: Collection[str] = (),
    restarted: Iterable[str] = (),
) -> AllocationMessage:
    """An allocation; strategies in ``live`` trade in the live account, the others on paper."""
    given = dict(usd or {})
    modes = {spec_id: "live" if spec_id in live else "paper" for spec_id in given}
    return AllocationMessage(
        seq=seq,
        added=list(added),
        removed=list(removed),
        allocations_usd=given,
        modes=modes,
        restarted=list(restarted),
    )


def risk(level: str, *, halted: bool = False, account: Account = Account.PAPER) -> RiskEvent:
    return RiskEvent(seq=1, ts=1, level=level, drawdown=0.0, halted=halted, cause="drawdown", account=account)


def applied(name: str, seq: int, command_id: int = 1) -> AppliedCommand:
    return AppliedCommand(**msgspec.structs.asdict(command(name, seq=seq, command_id=command_id)))


def command(name: str, spec_id: str = "", seq: int = 1, command_id: int = 1) -> CommandMessage:
    return CommandMessage(seq=seq, command_id=command_id, name=CommandName(name), spec_id=spec_id, reason="")


def exit_order(
    spec_id: str,
    token: int,
    opened_ts: int,
    reason: str = "portfolio_stop_loss",
    account: Account = Account.PAPER,
) -> ExitOrder:
    return ExitOrder(
        seq=1, ts=1, spec_id=spec_id, token=token, mint="A", opened_ts=opened_ts, reason=reason, account=account
    )


def fill_message(fill: Fill, mint: str = "A") -> FillMessage:
    """A fill as the executor publishes it, after its way through JSON."""
    sent = FillMessage(
        seq=fill.seq,
        mint=mint,
        side_name=SIDE_NAMES[fill.order.side],
        status="FAILED" if fill.failure else "PAPER",
        parity_bps=None,
        fill=fill,
    )
    received: FillMessage = decoder_of(FILLS)(encode(sent))
    return received
