"""A node of the local chain with a funded wallet, and a client of it."""

from collections.abc import Iterator

import pytest

from memesnipe.localnet.node import Node
from tests.localnet.support import Client, funded, wallet


@pytest.fixture
def node() -> Iterator[Node]:
    with Node(funded(wallet(1)), is_paced=False) as made:
        yield made


@pytest.fixture
def client(node: Node) -> Iterator[Client]:
    made = Client(node)
    yield made
    made.close()
