"""Settings of metrics, logs and health."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from memesnipe.config.group import Group, setting
from memesnipe.config.types import ListenAddress, OptionalPath, Port
from memesnipe.config.urls import empty_is_unset, http_url

OptionalUrl = Annotated[Annotated[str, AfterValidator(http_url)] | None, BeforeValidator(empty_is_unset)]


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
    otlp_endpoint: OptionalUrl = setting(
        None, "where traces from event to order to fill are sent by OTLP over HTTP, such as "
        "http://127.0.0.1:4318/v1/traces", decides=False,
    )  # fmt: skip
    notify_urls_filename: OptionalPath = setting(
        None, "file with URLs of Apprise, one a line, to send alerts and lifecycle events to; chmod 600", decides=False
    )
    notify_max_per_hour: Annotated[int, Field(ge=1, le=1_000)] = setting(
        20, "maximum number of notifications an hour; what is left out is counted in the next one", decides=False
    )
    prometheus_url: OptionalUrl = setting(
        None, "Prometheus whose firing alerts are sent as notifications too, such as http://127.0.0.1:9090",
        decides=False,
    )  # fmt: skip
    max_feed_silence_secs: Annotated[int, Field(ge=0, le=86_400)] = setting(
        0,
        "health is degraded if a live feed delivers no event for this long; 0 for never",
        decides=False,
        reloadable=True,
    )
