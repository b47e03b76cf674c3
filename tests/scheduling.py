"""Which worker runs which test file: one worker begins with the tests of the whole system, the others with the rest.

A file stays on one worker, so that what its tests share is made once. The markers of pytest-xdist are not used:
pytest 9.2 ignores the change of a test's id in which pytest-xdist 3.8 carries the name of a group
(https://github.com/pytest-dev/pytest-xdist/issues/1386).
"""

from collections.abc import Sequence
from typing import Final

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

# Files with tests of the whole system, the longest first, so that the workers end at about the same time.
SYSTEM: Final = (
    "tests/system/test_live.py",
    "tests/system/test_chaos.py",
    "tests/system/test_evolve.py",
    "tests/system/test_external.py",
    "tests/test_docs_output.py",
    "tests/system/test_autoscaling.py",
    "tests/system/test_live_trading.py",
    "tests/system/test_interrupt.py",
    "tests/system/test_ray_start.py",
    "tests/system/test_demo.py",
    "tests/system/test_detached.py",
)
# The longest of the other files.
LONG: Final = ("tests/cli/test_bench_live.py", "tests/actors/test_supervisor.py", "tests/evolution/test_markets.py")

# Files whose tests share nothing: each test may run on any worker. They run last, so that no worker ends long before.
DIVIDED: Final = ("tests/simulator/test_planted_faults.py", "tests/simulator/test_simulate.py")


class FileScheduling(LoadScopeScheduling):
    """Give the first worker the files of `SYSTEM` in order, and the others all other files, then what is left."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        is_first = node is min(self.nodes, key=lambda other: other.gateway.id)
        self.workqueue.move_to_end(next_scope(list(self.workqueue), is_first=is_first), last=False)
        super()._assign_work_unit(node)


def scope_of(nodeid: str) -> str:
    """Return the tests that stay together with a test: its file, or itself."""
    file = _file_of(nodeid)
    return nodeid if file in DIVIDED else file


def next_scope(waiting: Sequence[str], *, is_first: bool) -> str:
    """Return what a worker runs next; the first worker is the one that begins with the system."""
    system = [file for file in SYSTEM if file in waiting]
    others = [file for file in LONG if file in waiting]
    others += [scope for scope in waiting if _file_of(scope) not in (*SYSTEM, *LONG, *DIVIDED)]
    others += [scope for scope in waiting if _file_of(scope) in DIVIDED]
    return (system + others if is_first else others + system[::-1])[0]


def _file_of(scope: str) -> str:
    return scope.partition("::")[0]
