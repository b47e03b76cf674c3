"""The venue of the live account, put together: nodes, ways to swap, fees, lanes, the signer, and the store."""

from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from typing import Final

import httpx
from solders.pubkey import Pubkey
from sqlalchemy import Engine

from memesnipe.config.settings import Settings
from memesnipe.execution.landing_record import LandingRecord
from memesnipe.execution.venue import VenueClient
from memesnipe.feeds.pumpfun.own_trades import own_trade
from memesnipe.roles.context import Context
from memesnipe.roles.live_bids import MarketBids
from memesnipe.roles.live_safety import assessment, safe_builder
from memesnipe.roles.submission_log import log_submission
from memesnipe.roles.venue_orders import MintOf
from memesnipe.servers import loopback
from memesnipe.solana.direct.source import DirectSource
from memesnipe.solana.jito import JitoClient
from memesnipe.solana.jupiter import JupiterClient
from memesnipe.solana.request_mac import load_secret
from memesnipe.solana.rpc import Rpc
from memesnipe.solana.sender import SenderClient
from memesnipe.solana.service import Service, http_client
from memesnipe.solana.signer_client import SignerClient
from memesnipe.solana.submission.actions import Outside
from memesnipe.solana.submission.builder import SwapMessageBuilder
from memesnipe.solana.submission.client import SolanaVenueClient
from memesnipe.solana.submission.ports import Lane
from memesnipe.solana.submission.services import JitoLane, RemoteSigner, RpcLane, SenderLane
from memesnipe.solana.swap_plan import SwapSource
from memesnipe.storage.database import ACTOR_OPTIONS, connect
from memesnipe.storage.runs import WALLET, read_run_settings
from memesnipe.storage.submissions import Submissions
from memesnipe.telemetry.logs import Logger

OnOutcome = Callable[[LandingRecord], None]
_SIGNER_S: Final = 20.0  # the signer simulates before it signs


class LiveVenue(SolanaVenueClient):
    """The client with connections of its own to the database: it works in another thread than the executor."""

    def __init__(
        self, database: Engine, run_id: int, outside: Outside, mint_of: MintOf, on_outcome: OnOutcome, log: Logger
    ) -> None:
        super().__init__(Submissions(database, run_id), outside, mint_of, on_outcome, partial(log_submission, log))
        self._database = database

    def close(self) -> None:
        """Stop, and close the connections."""
        super().close()
        self._database.dispose()


def open_live_venue(context: Context, mint_of: MintOf, on_outcome: OnOutcome = lambda _: None) -> VenueClient:
    """Return the client of a live run's venue, started.

    Args:
        context: of the executor.
        mint_of: returns the mint of a token of the run.
        on_outcome: called with what was measured of an order once it has an outcome, in a thread of the client.

    Raises:
        InputError: the secret of the signer cannot be used.
    """
    settings = context.settings
    with context.database.connect() as connection:
        wallet = Pubkey.from_string(read_run_settings(connection, context.run_id)[WALLET])
    # An order id is unique in its run, and the signer signs once for an id.
    run = f"{context.run_id}-{blake2b(context.stream_key, digest_size=4).hexdigest()}"
    assert settings.servers.database_url is not None  # noqa: S101 - resolved by `up`
    database = connect(settings.servers.database_url.get_secret_value(), ACTOR_OPTIONS)
    try:
        log = context.log("venue")
        outside = _outside(settings, wallet, run, database, context.run_id, log)
        venue = LiveVenue(database, context.run_id, outside, mint_of, on_outcome, log)
        return venue.__enter__()
    except BaseException:
        database.dispose()
        raise


def _outside(settings: Settings, wallet: Pubkey, run: str, database: Engine, run_id: int, log: Logger) -> Outside:
    """Return the services of the client."""
    http, slow_http = http_client(), http_client(_SIGNER_S)
    rpc = Rpc([Service(http, settings.feeds.solana_rpc_url.get_secret_value())])
    fees = MarketBids(settings, http, log)
    slippage_bps = settings.fills.slippage_bps
    signer = Service(slow_http, f"http://{loopback.HOST}:{settings.api.dashboard_port}")
    secret = load_secret(settings.installation.signer_token_file)
    sources = sources_of(settings, http, rpc, wallet)
    builder = SwapMessageBuilder(rpc, sources, fees.plan, wallet, slippage_bps)
    assess = assessment(settings, http, rpc, wallet, sources)

    async def close() -> None:
        await http.aclose()
        await slow_http.aclose()

    return Outside(
        rpc,
        safe_builder(builder, assess, database, run_id, settings),
        RemoteSigner(SignerClient(signer, secret, wallet), slippage_bps, run),
        _lanes(settings, http, rpc),
        str(wallet),
        frozenset(map(str, fees.tip_accounts)),
        read_trade=own_trade,
        background=fees.keep_fresh,
        close=close,
    )


def sources_of(settings: Settings, http: httpx.AsyncClient, rpc: Rpc, wallet: Pubkey) -> list[SwapSource]:
    """Return the ways to swap, by preference: at the coin's curve or pool itself, which asks no other service."""
    key = settings.feeds.jupiter_api_key
    headers = {} if key is None else {"x-api-key": key.get_secret_value()}
    jupiter = JupiterClient(Service(http, settings.feeds.jupiter_api_url, headers), wallet)
    return [DirectSource(rpc, wallet), jupiter]


def _lanes(settings: Settings, http: httpx.AsyncClient, rpc: Rpc) -> list[Lane]:
    """Return the lanes: the node, and the one that takes the tip."""
    live = settings.live
    if live.sender_url is not None:
        return [RpcLane(rpc), SenderLane(SenderClient(Service(http, live.sender_url)))]
    engine = Service(http, live.jito_rpc_url)
    return [RpcLane(rpc), JitoLane(JitoClient(engine, engine))]
