"""A Ray whose node manager ends while it starts is given up at once, and nothing of it is left."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(200)]

# In a process of its own: Ray leaves its objects for child processes behind when it does not start.
SCRIPT = """
import json, os, signal, sys, threading, time
from pathlib import Path
import psutil
from actors.connection import connect_ray
from memesnipe.errors import MemeSnipeError

killed = []

def kill_first_raylet():
    while not killed:
        killed.extend(child.pid for child in psutil.Process().children() if child.name() == "raylet")
        time.sleep(0.01)
    os.kill(killed[0], signal.SIGKILL)

threading.Thread(target=kill_first_raylet, daemon=True).start()
error = ""
try:
    connect_ray(None, Path(sys.argv[1]), "memesnipe-test", attempts=1)
except MemeSnipeError as raised:
    error = str(raised)
print(json.dumps({"killed": killed, "error": error, "left": [p.name() for p in psutil.Process().children()]}))
os._exit(0)
"""


def test_a_raylet_that_ends_while_ray_starts_is_noticed_at_once(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, tmp_path],
        env=environment,
        capture_output=True,
        text=True,
        timeout=150,
        check=True,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["killed"]
    assert "its raylet has ended" in told["error"]
    assert told["left"] == []
