"""Settings of servers: Redis, PostgreSQL and Ray."""

from memesnipe.config.group import Group, setting
from memesnipe.config.types import OptionalText, PostgresUrl, RedisUrl


class ServerSettings(Group):
    """Redis, PostgreSQL and Ray; without an address each is started on this machine."""

    redis_url: RedisUrl = setting(
        None, "redis://USER:PASSWORD@HOST:PORT/DB instead of the embedded Redis", decides=False
    )
    database_url: PostgresUrl = setting(
        None, "postgresql://USER:PASSWORD@HOST:PORT/DB instead of the embedded PostgreSQL", decides=False
    )
    ray_address: OptionalText = setting(
        None, "a running Ray cluster instead of a local one; auto finds it", decides=False
    )
    ray_dashboard: bool = setting(
        True, "start Ray's own dashboard beside a local Ray; without it `up` needs eleven processes less", decides=False
    )
