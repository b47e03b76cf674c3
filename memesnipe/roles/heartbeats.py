"""The heartbeats of actors, as a process that has only the folder of the installation reads them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import redis

from memesnipe.config.home import Home
from memesnipe.config.settings import read_resolved
from memesnipe.errors import MemeSnipeError
from memesnipe.protocol.heartbeat import HEARTBEAT_KEY, decode_heartbeat

_TIMEOUT_S: Final = 5.0


def read_heartbeats(home: Path, actors: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return state and detail of each of the actors; `down` for one without a heartbeat.

    Raises:
        MemeSnipeError: Redis is not known, or does not respond.
    """
    url = read_resolved(Home(home).settings).servers.redis_url
    if url is None:
        raise MemeSnipeError("REDIS_URL is not set on this node")
    keys = [HEARTBEAT_KEY.format(actor) for actor in actors]
    try:
        with redis.Redis.from_url(url.get_secret_value(), socket_timeout=_TIMEOUT_S) as client:
            found: Any = client.mget(keys)
    except redis.RedisError as error:
        raise MemeSnipeError(f"Redis does not respond: {error}") from None
    beats = {actor: decode_heartbeat(data) if data else None for actor, data in zip(actors, found, strict=True)}
    return {
        actor: {"state": beat.state if beat else "down", "detail": beat.detail if beat else "no heartbeat"}
        for actor, beat in beats.items()
    }
