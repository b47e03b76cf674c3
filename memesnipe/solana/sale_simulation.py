"""A simulated round trip: one transaction that buys a token and sells what it bought; a node runs it, nobody sends it.

The sale's own minimum makes the program refuse to pay back less, so a token that can be bought and not sold, or only at
a loss beyond the limit, fails the simulation.
"""

from collections.abc import Sequence
from typing import Final

from solders.hash import Hash
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from memesnipe.solana.addresses import PUMP_AMM, TOKEN_PROGRAMS, token_address
from memesnipe.solana.fills import error_text
from memesnipe.solana.instructions.pumpswap_cashback import INIT_ACCUMULATOR
from memesnipe.solana.rpc import Rpc
from memesnipe.solana.swap_plan import Swap, SwapPlan, SwapSource, best_plan
from memesnipe.solana.transaction import FeePlan, compose, unsigned

_BPS: Final = 10_000
_NO_FEES: Final = FeePlan(0, 0)
_CLOSE_ACCOUNT: Final = 9  # the number of the instruction of both token programs


class SaleSimulation:
    """Simulates to buy and then sell a token.

    Args:
        rpc: nodes.
        sources: ways to swap.
        wallet: that would trade; it must have the lamports.
        lamports: that would be spent.
        slippage_bps: tolerance of the purchase.
        max_loss_bps: of the round trip, fees included.
    """

    def __init__(
        self,
        rpc: Rpc,
        sources: Sequence[SwapSource],
        wallet: Pubkey,
        lamports: int,
        slippage_bps: int = 100,
        max_loss_bps: int = 2_000,
    ) -> None:
        self._rpc, self._sources, self._wallet = rpc, sources, wallet
        self._lamports, self._slippage_bps, self._max_loss_bps = lamports, slippage_bps, max_loss_bps

    async def __call__(self, mint: str) -> str:
        """Return why the round trip fails, "" if it does not.

        Raises:
            NoRouteError: there is no way to buy, or none to sell, or both do not fit into one transaction.
            ServiceError: a service does not answer.
        """
        buy = await best_plan(Swap("buy", mint, self._lamports, 1, self._slippage_bps), self._sources)
        back = self._lamports * (_BPS - self._max_loss_bps) // _BPS
        # What the purchase gives at least: the rest stays in the account, so the sale cannot close it.
        sell = await best_plan(Swap("sell", mint, buy.min_out, back, self._slippage_bps), self._sources)
        newest = await self._rpc.latest_blockhash()
        plan = self._round_trip(buy, sell, Pubkey.from_string(mint))
        message = compose(plan, _NO_FEES, self._wallet, Hash.from_string(newest.blockhash))
        simulated = await self._rpc.simulate(bytes(unsigned(message)))
        if simulated.err is not None:
            return f"bought through {buy.source}, it cannot be sold through {sell.source}: {error_text(simulated.err)}"
        return ""

    def _round_trip(self, buy: SwapPlan, sell: SwapPlan, mint: Pubkey) -> SwapPlan:
        own = {token_address(self._wallet, mint, program) for program in TOKEN_PROGRAMS}
        is_prepared = any(each.program_id == PUMP_AMM for each in buy.instructions)  # it has created the accumulator
        sale = tuple(
            each
            for each in sell.instructions
            if not _closes(each, own) and not (is_prepared and bytes(each.data) == INIT_ACCUMULATOR)
        )
        return SwapPlan(
            f"{buy.source} and {sell.source}",
            (*buy.instructions, *sale),
            sell.expected_out,
            sell.min_out,
            tuple({table.key: table for table in (*buy.lookup_tables, *sell.lookup_tables)}.values()),
        )


def _closes(instruction: Instruction, accounts: set[Pubkey]) -> bool:
    """Return whether an instruction closes one of these token accounts."""
    return (
        instruction.program_id in TOKEN_PROGRAMS
        and bytes(instruction.data[:1]) == bytes([_CLOSE_ACCOUNT])
        and instruction.accounts[0].pubkey in accounts
    )
