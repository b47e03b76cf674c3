"""Serve the page and the API over the records of an installation, without Ray: to look at a run that has ended.

    python scripts/serve_page.py .memesnipe --port 8090

The embedded servers of the installation are started, so `memesnipe up` must not run on it.
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path

import redis
import uvicorn

from memesnipe.api.access import RemoteAccess
from memesnipe.api.app import create_api
from memesnipe.api.backend import Backend
from memesnipe.api.commands import Commands
from memesnipe.api.request_checks import RequestChecks
from memesnipe.api.token import load_token
from memesnipe.config.home import Home
from memesnipe.config.settings import load_settings
from memesnipe.runtime.genome_words import describer
from memesnipe.servers.servers import LocalServers
from memesnipe.storage.command_submission import connect_for_commands
from memesnipe.storage.database import connect, migrate
from memesnipe.storage.market_view import Market


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path, help="folder of the installation")
    parser.add_argument("--port", type=int, default=8090)
    options = parser.parse_args()
    home, settings = Home(options.home.resolve()), load_settings()
    with LocalServers(*home.server_folders) as servers:
        urls = servers.start()
        assert urls.database_url and urls.redis_url  # noqa: S101 - the embedded servers have both
        database = connect(urls.database_url)
        migrate(database)
        backend = Backend(database, redis.Redis.from_url(urls.redis_url), lambda: True, datetime.now(UTC))
        token = load_token(home.token)
        commands = Commands(connect_for_commands(urls.database_url), token, home.signer_halt)
        market = Market(lambda run_id: home.run(run_id).event_log)
        api = create_api(backend, commands, market, describer(settings), settings.api.dashboard_max_streams)
        print(f"http://127.0.0.1:{options.port}", flush=True)
        uvicorn.run(RequestChecks(RemoteAccess(api, token)), port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
