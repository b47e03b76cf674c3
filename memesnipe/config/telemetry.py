"""Settings of metrics and logs."""

from typing import Literal

from memesnipe.config.group import Group, setting
from memesnipe.config.types import Port


class TelemetrySettings(Group):
    """Metrics and logs."""

    executor_metrics_port: Port = setting(9184, "Prometheus port of the executor", decides=False)
    portfolio_metrics_port: Port = setting(9100, "Prometheus port of the portfolio", decides=False)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = setting("INFO", "minimum log level", decides=False)
