"""The generated market launches and trades coins, by its seed alone."""

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.market import ChainMarket
from memesnipe.localnet.markets.generated_market import FIRST_COINS, GeneratedMarket
from memesnipe.solana.instructions.pumpfun import bonding_curve


def played(seed: int, blocks: int, trades_per_s: float = 20.0) -> tuple[GeneratedMarket, ChainMarket]:
    chain = Chain()
    market = ChainMarket(chain, seed)
    player = GeneratedMarket(market, seed, trades_per_s, 150.0)
    chain.listeners.append(player.on_block)
    player.start()
    player.start()  # once is enough
    for _ in range(blocks):
        chain.tick()
    return player, market


def state(market: ChainMarket) -> list[bytes]:
    accounts = [market.chain.account(bonding_curve(mint)) for mint in market.coins]
    return [bytes(account.data) for account in accounts if account is not None]


def test_coins_are_launched_and_traded_at_the_rate() -> None:
    player, market = played(1, 50)
    status = player.status()
    assert (status["state"], status["coins"]) == ("running", FIRST_COINS + 50 * 8 // 150)
    trades = status["sent"] - status["coins"]
    assert 390 <= trades <= 400, "only a coin whose launch is in no block yet is not traded"
    assert set(player.mints().values()) == {str(mint) for mint in market.coins}
    assert len(set(state(market))) == len(market.coins), "each coin has its own life"


def test_the_seed_decides() -> None:
    assert state(played(3, 20)[1]) == state(played(3, 20)[1]) != state(played(4, 20)[1])


def test_it_waits_until_it_is_started() -> None:
    chain = Chain()
    market = ChainMarket(chain)
    player = GeneratedMarket(market, 0, 10.0, 150.0)
    chain.listeners.append(player.on_block)
    chain.tick()
    assert (player.status()["state"], player.status()["sent"]) == ("waiting", 0)
