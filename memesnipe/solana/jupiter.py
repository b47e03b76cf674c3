"""A client of Jupiter's APIs: swap v2 (order, execute, build), price v3 and tokens v2.

Its limits are those of its headers, which `memesnipe.solana.service` follows. A refusal has Jupiter's own code.
"""

import base64
from typing import Literal, TypeVar

import msgspec
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from memesnipe.solana.fills import WRAPPED_SOL
from memesnipe.solana.service import Service, retrying
from memesnipe.solana.service_errors import RejectedError
from memesnipe.solana.swap_plan import NoRouteError, Swap, SwapPlan

_T = TypeVar("_T")
_NO_ROUTE = frozenset(
    {"TOKEN_NOT_TRADABLE", "NO_ROUTES_FOUND", "COULD_NOT_FIND_ANY_ROUTE", "MARKET_NOT_FOUND", "NOT_SUPPORTED", 400}
)


class SwapInfo(msgspec.Struct, frozen=True, rename="camel"):
    """One pool of a route."""

    amm_key: str
    input_mint: str
    output_mint: str
    in_amount: str
    out_amount: str
    label: str = ""


class RouteStep(msgspec.Struct, frozen=True, rename="camel"):
    """One step of a route."""

    swap_info: SwapInfo
    percent: float | None = None
    bps: float | None = None


class JupiterQuote(msgspec.Struct, frozen=True, rename="camel"):
    """The quote fields of `order`, `build` and the older `quote`; amounts are raw."""

    input_mint: str
    output_mint: str
    in_amount: str
    out_amount: str
    other_amount_threshold: str
    route_plan: list[RouteStep]


class JupiterOrder(JupiterQuote, frozen=True, rename="camel"):
    """A quote with a transaction: None without a taker, empty where it cannot be built (`error_code` says why)."""

    request_id: str
    transaction: str | None = None
    last_valid_block_height: str | None = None
    error_code: int | str | None = None
    error_message: str | None = None


class JupiterExecution(msgspec.Struct, frozen=True, rename="camel"):
    """What Jupiter says about a transaction that it sent; only the chain knows its outcome."""

    status: Literal["Success", "Failed"]
    code: int
    signature: str | None = None
    slot: str | None = None
    error: str | None = None


class JupiterAccount(msgspec.Struct, frozen=True, rename="camel"):
    """An account of an instruction."""

    pubkey: str
    is_signer: bool
    is_writable: bool


class JupiterInstruction(msgspec.Struct, frozen=True, rename="camel"):
    """An instruction; its data is base64."""

    program_id: str
    accounts: list[JupiterAccount]
    data: str

    def decoded(self) -> Instruction:
        """Return it as an instruction."""
        metas = [AccountMeta(Pubkey.from_string(a.pubkey), a.is_signer, a.is_writable) for a in self.accounts]
        return Instruction(Pubkey.from_string(self.program_id), base64.b64decode(self.data), metas)


class JupiterBuild(JupiterQuote, frozen=True, rename="camel"):
    """A quote with its instructions."""

    setup_instructions: list[JupiterInstruction]
    swap_instruction: JupiterInstruction
    other_instructions: list[JupiterInstruction]
    cleanup_instruction: JupiterInstruction | None = None
    addresses_by_lookup_table_address: dict[str, list[str]] | None = None


class TokenPrice(msgspec.Struct, frozen=True, rename="camel"):
    """A price; tokens without one are missing in the reply."""

    usd_price: float
    decimals: int
    block_id: int | None = None
    liquidity: float | None = None


class TokenAudit(msgspec.Struct, frozen=True, rename="camel"):
    """Jupiter's audit of a token; a missing field is unknown, not safe."""

    is_sus: bool | None = None
    mint_authority_disabled: bool | None = None
    freeze_authority_disabled: bool | None = None
    top_holders_percentage: float | None = None
    dev_balance_percentage: float | None = None


class JupiterToken(msgspec.Struct, frozen=True, rename="camel"):
    """A token."""

    id: str
    audit: TokenAudit | None = None
    organic_score: float | None = None


class JupiterClient:
    """Jupiter's API.

    Args:
        service: `https://api.jup.ag`; `x-api-key` among its headers where there is a key.
        taker: the wallet.
    """

    def __init__(self, service: Service, taker: Pubkey) -> None:
        self._service, self._taker = service, str(taker)

    async def order(self, swap: Swap) -> JupiterOrder:
        """Return a transaction that Jupiter has composed and can send."""
        return await self._quoted("/swap/v2/order", swap, JupiterOrder)

    async def build(self, swap: Swap) -> JupiterBuild:
        """Return the instructions of a swap."""
        return await self._quoted("/swap/v2/build", swap, JupiterBuild)

    async def execute(self, signed: bytes, request_id: str) -> JupiterExecution:
        """Let Jupiter send the signed transaction of an order; it is not repeated here."""
        body = {"signedTransaction": base64.b64encode(signed).decode(), "requestId": request_id}
        return await self._service.post("/swap/v2/execute", body, JupiterExecution)

    async def prices(self, mints: list[str]) -> dict[str, TokenPrice]:
        """Return the prices of up to 50 tokens."""
        return await self._read("/price/v3", {"ids": ",".join(mints)}, dict[str, TokenPrice])

    async def token(self, mint: str) -> JupiterToken | None:
        """Return a token, None if Jupiter does not know it."""
        found = await self._read("/tokens/v2/search", {"query": mint}, list[JupiterToken])
        return next((token for token in found if token.id == mint), None)

    async def plan(self, swap: Swap) -> SwapPlan:
        """Return the plan of a swap through Jupiter.

        Raises:
            NoRouteError: there is no route.
            ServiceError: Jupiter does not answer.
        """
        try:
            built = await self.build(swap)
        except RejectedError as error:
            if error.code in _NO_ROUTE:
                raise NoRouteError(str(error)) from None
            raise
        cleanup = [built.cleanup_instruction] if built.cleanup_instruction else []
        parts = [*built.setup_instructions, built.swap_instruction, *cleanup, *built.other_instructions]
        tables = tuple(
            AddressLookupTableAccount(Pubkey.from_string(key), [Pubkey.from_string(one) for one in addresses])
            for key, addresses in (built.addresses_by_lookup_table_address or {}).items()
        )
        instructions = tuple(part.decoded() for part in parts)
        return SwapPlan("jupiter", instructions, int(built.out_amount), int(built.other_amount_threshold), tables)

    async def _quoted(self, path: str, swap: Swap, kind: type[_T]) -> _T:
        mints = (WRAPPED_SOL, swap.mint) if swap.side == "buy" else (swap.mint, WRAPPED_SOL)
        params = {
            "inputMint": mints[0],
            "outputMint": mints[1],
            "amount": str(swap.amount_in),
            "taker": self._taker,
            "slippageBps": str(swap.slippage_bps),
        }
        return await self._read(path, params, kind)

    async def _read(self, path: str, params: dict[str, str], kind: type[_T]) -> _T:
        async for attempt in retrying(3):
            with attempt:
                return await self._service.get(path, params, kind)
        raise AssertionError("the last attempt raises")
