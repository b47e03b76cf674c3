"""The audit log of manual actions: who asked for what and when, refused ones included."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from memesnipe.storage.schema import Base


class ActionRow(Base):
    """An action that the holder of the token, or a user of this machine, has asked for."""

    __tablename__ = "actions"
    __table_args__ = (Index("actions_of_run", "run_id", "action_id"),)
    action_id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.run_id"))  # None: there was no run
    asked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    who: Mapped[str]  # `memesnipe.storage.actions.by_token`, `by_cli`
    name: Mapped[str]  # of the command
    spec_id: Mapped[str]
    reason: Mapped[str]
    refused: Mapped[str]  # why it was not recorded as a command; "" where it was
    command_id: Mapped[int | None] = mapped_column(ForeignKey("commands.command_id"))  # its outcome is there
