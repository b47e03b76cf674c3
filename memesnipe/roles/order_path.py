"""What is told about committed steps beside the records: metrics, log lines and spans."""

from collections.abc import Mapping, Sequence

from memesnipe.roles.consumer import Consumer
from memesnipe.roles.order_log import log_steps
from memesnipe.roles.order_traces import trace_steps
from memesnipe.roles.role_metrics import record_steps
from memesnipe.trading.steps import Step


def report_steps(role: Consumer, steps: Sequence[Step], mints: Mapping[int, str], read_at_s: float) -> None:
    """Count, log and trace committed steps.

    Args:
        role: the executor.
        steps: all steps of the commit.
        mints: the address of each token.
        read_at_s: when their events were read, by the monotonic clock.
    """
    record_steps(role.metrics, steps, role.clock.monotonic_s() - read_at_s)
    log_steps(role.log, steps, mints)
    if role.traces is not None:
        trace_steps(role.traces, steps, mints, *role.wall_span_ns())
