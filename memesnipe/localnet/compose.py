"""The one place where programs, markets and further servers are added to the local cluster."""

from starlette.routing import BaseRoute

from memesnipe.localnet.chain import Chain


def compose(chain: Chain) -> list[BaseRoute]:  # noqa: ARG001 - there is nothing to add yet
    """Add emulated programs and their accounts to a chain; return the routes of further servers."""
    return []
