"""The tables of control: what was refused, what was asked for, what was obeyed when, and who may act."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from memesnipe.storage.schema import Base, run_key


class RefusalRow(Base):
    """A decision that the risk gate did not let through, and why."""

    __tablename__ = "refusals"
    run_id: Mapped[int] = run_key()
    order_id: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    ts: Mapped[int]
    spec_id: Mapped[str]
    token: Mapped[int]
    mint: Mapped[str]
    side: Mapped[str]
    reason: Mapped[str]  # `memesnipe.trading.gate.Refusal`
    detail: Mapped[str]


class CommandRow(Base):
    """What a person asked for, the event after which it was taken up, and what came of it."""

    __tablename__ = "commands"
    __table_args__ = (Index("commands_waiting", "run_id", postgresql_where=text("seq IS NULL")),)
    command_id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.run_id"))
    name: Mapped[str]  # halt | risk_reset | promote | demote
    spec_id: Mapped[str]  # of promote and demote
    reason: Mapped[str]
    requested_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seq: Mapped[int | None]
    outcome: Mapped[str | None]


class ControlRow(Base):
    """What the executor was told, and the event after which it obeyed: with the events, all that decides a run."""

    __tablename__ = "controls"
    run_id: Mapped[int] = run_key()
    number: Mapped[int] = mapped_column(primary_key=True)
    stream: Mapped[str]
    entry: Mapped[int]  # number of the message in its stream
    effective_seq: Mapped[int]


class LeaseRow(Base):
    """Who may commit as an actor. A new holder has a higher epoch, which fences the one before out."""

    __tablename__ = "leases"
    run_id: Mapped[int] = run_key()
    actor: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    holder: Mapped[str]
    expires_at: Mapped[datetime]  # by the database's clock
