"""Settings of the page and the API."""

from memesnipe.config.group import Group, setting
from memesnipe.config.types import ListenAddress, Port, Streams


class ApiSettings(Group):
    """Page and API."""

    dashboard_port: Port = setting(8080, "port of the page and the API", decides=False)
    dashboard_address: ListenAddress = setting(
        "127.0.0.1",
        "address of this port; 0.0.0.0 for a container: other machines can then read with the token",
        decides=False,
    )
    dashboard_hosts: str = setting("", "additional host names of the API, separated by commas", decides=False)
    dashboard_max_streams: Streams = setting(100, "maximum number of open /api/events streams", decides=False)
