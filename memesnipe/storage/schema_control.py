"""The tables of control: refused decisions, manual commands, applied controls, and leases."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from memesnipe.storage.schema import Base, account_column, run_key


class RefusalRow(Base):
    """A decision that the risk gate refused, with the reason."""

    __tablename__ = "refusals"
    run_id: Mapped[int] = run_key()
    order_id: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    ts: Mapped[int]
    account: Mapped[str] = account_column()
    spec_id: Mapped[str]
    token: Mapped[int]
    mint: Mapped[str]
    side: Mapped[str]
    reason: Mapped[str]  # `memesnipe.trading.gate.RefusalReason`
    detail: Mapped[str]


class CommandRow(Base):
    """A manual command, the event after which it takes effect, and its outcome."""

    __tablename__ = "commands"
    __table_args__ = (Index("commands_waiting", "run_id", postgresql_where=text("seq IS NULL")),)
    command_id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.run_id"))
    name: Mapped[str]  # halt | flatten | risk_reset | promote | demote | close
    spec_id: Mapped[str]  # of promote, demote and close
    account: Mapped[str] = mapped_column(server_default="")  # of flatten and close; "": every account
    token: Mapped[int] = mapped_column(server_default="-1")  # of close; -1: of other commands
    mint: Mapped[str] = mapped_column(server_default="")  # its address
    reason: Mapped[str]
    requested_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seq: Mapped[int | None]
    outcome: Mapped[str | None]


class ControlRow(Base):
    """A message that the executor applied after event ``effective_seq``. Events and controls determine a run."""

    __tablename__ = "controls"
    run_id: Mapped[int] = run_key()
    number: Mapped[int] = mapped_column(primary_key=True)
    stream: Mapped[str]
    entry: Mapped[int]  # number of the message in its stream
    effective_seq: Mapped[int]


class LeaseRow(Base):
    """The process that may commit as an actor. A new holder has a higher epoch, which fences out the previous one."""

    __tablename__ = "leases"
    run_id: Mapped[int] = run_key()
    actor: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    holder: Mapped[str]
    expires_at: Mapped[datetime]  # by the database's clock
