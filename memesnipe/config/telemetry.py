"""Settings of metrics, logs and health."""

from typing import Annotated, Literal

from pydantic import Field

from memesnipe.config.group import Group, setting
from memesnipe.config.types import Port


class TelemetrySettings(Group):
    """Metrics, logs and health."""

    executor_metrics_port: Port = setting(9184, "Prometheus port of the executor", decides=False)
    portfolio_metrics_port: Port = setting(9100, "Prometheus port of the portfolio", decides=False)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = setting("INFO", "minimum log level", decides=False)
    max_feed_silence_secs: Annotated[int, Field(ge=0, le=86_400)] = setting(
        0, "health is degraded if a live feed delivers no event for this long; 0 for never", decides=False
    )
