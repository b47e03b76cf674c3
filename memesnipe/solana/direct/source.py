"""The source of swaps that trades at a coin's curve or pool itself, wherever the coin is."""

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from memesnipe.solana.addresses import token_address
from memesnipe.solana.direct import curve as on_curve
from memesnipe.solana.direct import pool as in_pool
from memesnipe.solana.direct.accounts import CoinAccounts, read_coin
from memesnipe.solana.instructions.spl import close_account, create_token_account
from memesnipe.solana.rpc import Rpc
from memesnipe.solana.swap_plan import NoRouteError, Swap, SwapPlan

_BPS = 10_000


class DirectSource:
    """Plans swaps of coins of pump.fun by their accounts (`SwapSource`).

    What a plan expects is exact if nobody trades before it. It enforces the swap's minimum, or the tolerance from the
    price now where that is more, so that a price that has become better is not given away.

    Args:
        rpc: nodes.
        wallet: who trades.
    """

    def __init__(self, rpc: Rpc, wallet: Pubkey) -> None:
        self._rpc, self._wallet = rpc, wallet

    async def plan(self, swap: Swap) -> SwapPlan:
        """Return the plan of a swap.

        Raises:
            NoRouteError: the coin is at neither of the two, or not in a state whose maths are known.
            ServiceError: no node answers.
        """
        coin = await read_coin(self._rpc, Pubkey.from_string(swap.mint), self._wallet)
        if coin.pool is not None:
            in_pool.check_pool(coin.pool, coin)
            expected = in_pool.expected_out(swap, coin.pool, coin)
            min_out = _min_out(swap, expected)
            traded = in_pool.pool_instructions(swap, coin.pool, coin, self._wallet, min_out)
            return SwapPlan(in_pool.NAME, self._with_token_account(swap, coin, traded), expected, min_out)
        if coin.curve is None:
            raise NoRouteError(f"direct: {coin.mint} is no coin of pump.fun")
        if coin.curve.complete:
            raise NoRouteError(f"{on_curve.NAME}: the curve is complete and has not migrated yet")
        on_curve.check_curve(coin.curve, coin)
        expected = on_curve.expected_out(swap, coin.curve, coin)
        min_out = _min_out(swap, expected)
        instruction = on_curve.curve_instruction(swap, coin.curve, coin, self._wallet, min_out)
        return SwapPlan(on_curve.NAME, self._with_token_account(swap, coin, [instruction]), expected, min_out)

    def _with_token_account(self, swap: Swap, coin: CoinAccounts, traded: list[Instruction]) -> tuple[Instruction, ...]:
        """Return the instructions with the creation of the wallet's token account, or its closing once it is empty."""
        wallet, mint, program = self._wallet, coin.mint, coin.token_program
        if swap.side == "buy":
            return (create_token_account(wallet, wallet, mint, program), *traded)
        if swap.amount_in != coin.held:
            return tuple(traded)
        return (*traded, close_account(token_address(wallet, mint, program), wallet, wallet, program))


def _min_out(swap: Swap, expected: int) -> int:
    return max(swap.min_out, expected * (_BPS - swap.slippage_bps) // _BPS)
