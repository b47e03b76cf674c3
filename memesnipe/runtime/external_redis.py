"""The Redis of others that `memesnipe up` is given: checked before anything is started."""

import redis

from memesnipe.bus.server_check import check_owner, check_server
from memesnipe.errors import MemeSnipeError
from memesnipe.telemetry.logs import without_secrets

_TIMEOUT_S = 10


def check_redis(url: str, installation: str) -> None:
    """Check that a server is suitable and its database not another installation's; change nothing there.

    Raises:
        InputError: it is unsuitable, or belongs to another installation.
        MemeSnipeError: it does not respond.
    """
    client = redis.Redis.from_url(url, socket_timeout=_TIMEOUT_S)
    try:
        check_server(client)
        check_owner(client, installation)
    except redis.RedisError as error:
        raise MemeSnipeError(f"Redis at {without_secrets(url)} does not respond: {error}") from error
    finally:
        client.close()
