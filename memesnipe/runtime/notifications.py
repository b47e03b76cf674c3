"""The notifications of an installation, by its settings."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from memesnipe.config.home import Home
from memesnipe.config.settings import Settings
from memesnipe.servers import loopback
from memesnipe.telemetry.logs import Logger

if TYPE_CHECKING:  # Apprise is slow to load, and most installations do not use it
    from memesnipe.telemetry.apprise_sender import AppriseSender

_ANSWER_S: Final = 5.0  # in which Prometheus must answer
_SHORT: Final = "-c statement_timeout=3s -c lock_timeout=2s"  # of statements that only read


def open_sender(settings: Settings) -> "AppriseSender | None":
    """Return the sender of the settings; None if notifications are off.

    Raises:
        InputError: the file with the URLs cannot be used.
    """
    path = settings.telemetry.notify_urls_filename
    if path is None:
        return None
    from memesnipe.telemetry.apprise_sender import AppriseSender  # noqa: PLC0415

    return AppriseSender(path.expanduser())


def start_notifier(
    sender: "AppriseSender",
    settings: Settings,
    run_id: int,
    condition: Callable[[], str],
    log: Logger,
    stack: ExitStack,
) -> None:
    """Start the thread, which the stack stops.

    Args:
        sender: of the notices.
        settings: as `memesnipe up` has resolved them.
        run_id: number of the run.
        condition: returns the problems of the servers and Ray.
        log: of `memesnipe up`.
        stack: what ends with the system.
    """
    from memesnipe.runtime.notice_sources import (  # noqa: PLC0415
        AlertNotices,
        HealthNotices,
        RecordNotices,
        SignerNotices,
        Source,
        get_health,
    )
    from memesnipe.runtime.notifier import Notifier  # noqa: PLC0415
    from memesnipe.storage.database import connect  # noqa: PLC0415

    assert settings.servers.database_url is not None  # noqa: S101 - resolved
    database = connect(settings.servers.database_url.get_secret_value(), _SHORT)
    stack.callback(database.dispose)
    page = f"http://127.0.0.1:{settings.api.dashboard_port}"
    sources: dict[str, Source] = {
        "records": RecordNotices(database, run_id),
        "health": HealthNotices(lambda: get_health(page), condition),
        "signer": SignerNotices(Home(settings.installation.memesnipe_home).signer_audit),
    }
    if settings.telemetry.prometheus_url is not None:
        sources["prometheus"] = AlertNotices(settings.telemetry.prometheus_url, _get)
    notifier = Notifier(sources, sender, settings.telemetry.notify_max_per_hour, log)
    notifier.start()
    stack.callback(notifier.stop)
    log.info("notifications are on", services=len(sender), sources=list(sources))


def _get(url: str) -> bytes:
    """Return the body at a URL; one of this machine is asked without a proxy."""
    if urlsplit(url).hostname == loopback.HOST:
        return loopback.get(url, _ANSWER_S).body
    import httpx  # noqa: PLC0415 - slow to load

    return httpx.get(url, timeout=_ANSWER_S).content
