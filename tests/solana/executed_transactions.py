"""Executed transactions of one wallet, made of known parts."""

from typing import Any

import msgspec

from memesnipe.engine.orders import Order
from memesnipe.market.events import BUY_SIDE, SELL_SIDE
from memesnipe.solana.executed import Executed
from memesnipe.solana.fills import WRAPPED_SOL

WALLET, MINT, TIP, POOL = "wallet", "mint", "tip", "pool"
RENT = 2_039_280


def order(side: int = BUY_SIDE) -> Order:
    return Order("s", 1, 0, side, "signal", 1, 1, 2, 0.1, 1_000_000, 500, 500)


def executed(
    *, wallet: int, token: tuple[int | None, int | None], wrapped: tuple[int | None, int | None] = (None, None),
    tip: int = 0, fee: int = 5_000, err: Any = None, logs: list[str] | None = None,
) -> Executed:  # fmt: skip
    """Return a transaction.

    Args:
        wallet: change of the wallet's lamports.
        token: of the wallet's token account before and after; None where there is no account.
        wrapped: the same of wrapped SOL, whose lamports are the amount and the rent.
        tip: paid to a tip account.
        fee: of the network.
        err: of the transaction.
        logs: of the transaction.
    """
    keys = [WALLET, "token account", "wrapped account", POOL]
    lamports = [[10**9, 10**9 + wallet]]
    lamports.append([0 if raw is None else RENT for raw in token])
    lamports.append([0 if raw is None else RENT + raw for raw in wrapped])
    lamports.append([5 * 10**9, 5 * 10**9])
    tokens: list[list[dict[str, Any]]] = [[], []]
    for index, mint, amounts in ((1, MINT, token), (2, WRAPPED_SOL, wrapped)):
        for side, raw in zip(tokens, amounts, strict=True):
            if raw is not None:
                side.append(
                    {"accountIndex": index, "mint": mint, "owner": WALLET, "uiTokenAmount": {"amount": str(raw)}}
                )
    for side in tokens:
        side.append({"accountIndex": 3, "mint": MINT, "owner": "other", "uiTokenAmount": {"amount": "7"}})
    return msgspec.convert(
        {
            "slot": 9,
            "blockTime": 1_700_000_000,
            "transaction": {"message": {"accountKeys": keys}, "signatures": ["s"]},
            "meta": {
                "err": err,
                "fee": fee,
                "preBalances": [one[0] for one in lamports] + [1_000],
                "postBalances": [one[1] for one in lamports] + [1_000 + tip],
                "preTokenBalances": tokens[0],
                "postTokenBalances": tokens[1],
                "logMessages": logs,
                "loadedAddresses": {"writable": [TIP], "readonly": []},
            },
        },
        Executed,
    )


SALE = order(SELL_SIDE)
