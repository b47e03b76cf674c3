"""Keep pandas out of the processes of Ray Serve, which would load it to encode data frames in JSON.

Loading it takes as long as the rest of Serve. Serve works without pandas where it is not installed, so its import of
pandas fails here in the same way; other modules can import it. Ray's workers load this module early, see `PRELOAD`.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import Final

# The environment variable with the modules that each worker of a cluster loads first, in order.
PRELOAD: Final = ("RAY_preload_python_modules", f"memesnipe.garbage,{__name__}")

_IMPORTER: Final = "ray.serve._private.utils"


class _Finder(MetaPathFinder):
    """Fail the import of pandas by one module."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find nothing; the other finders do.

        Raises:
            ModuleNotFoundError: Serve imports pandas.
        """
        del path, target
        if fullname == "pandas" and _is_imported_by(_IMPORTER):
            raise ModuleNotFoundError(f"pandas is not loaded for {_IMPORTER}", name=fullname)
        return None


def _is_imported_by(module: str) -> bool:
    """Return whether the innermost importing code outside the import system is that of a module."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name != __name__ and not name.startswith(("importlib", "_frozen_importlib")):
            return bool(name == module)
        frame = frame.f_back
    return False


if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
    sys.meta_path.insert(0, _Finder())
