"""Settings of metrics, logs and health."""

from typing import Annotated, Literal

from pydantic import Field

from memesnipe.config.group import Group, setting
from memesnipe.config.types import ListenAddress, OptionalPath, Port


class TelemetrySettings(Group):
    """Metrics, logs and health."""

    executor_metrics_port: Port = setting(9184, "Prometheus port of the executor", decides=False)
    market_data_metrics_port: Port = setting(9185, "Prometheus port of market_data", decides=False)
    position_metrics_port: Port = setting(9186, "Prometheus port of the position role", decides=False)
    strategy_factory_metrics_port: Port = setting(9187, "Prometheus port of the strategy factory", decides=False)
    portfolio_metrics_port: Port = setting(9100, "Prometheus port of the portfolio", decides=False)
    metrics_address: ListenAddress = setting(
        "127.0.0.1", "address of the Prometheus ports; 0.0.0.0 for a container, whose network must protect them",
        decides=False,
    )  # fmt: skip
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = setting(
        "INFO", "minimum log level", decides=False, reloadable=True
    )
    log_copy: OptionalPath = setting(
        None, "a file that every log line is written to as well; /proc/1/fd/1 is the standard output of a container",
        decides=False,
    )  # fmt: skip
    max_feed_silence_secs: Annotated[int, Field(ge=0, le=86_400)] = setting(
        0,
        "health is degraded if a live feed delivers no event for this long; 0 for never",
        decides=False,
        reloadable=True,
    )
