"""PumpSwap's fee tiers for canonical SOL pools, from its fee program on mainnet (read 2026-11)."""

from memesnipe.compiled import jitable

# (smallest market cap in lamports, lp, protocol, creator), fees in basis points
TIERS = (
    (0, 2, 93, 30),
    (420_000_000_000, 20, 5, 95),
    (1_470_000_000_000, 20, 5, 90),
    (2_460_000_000_000, 20, 5, 85),
    (3_440_000_000_000, 20, 5, 80),
    (4_420_000_000_000, 20, 5, 75),
    (9_820_000_000_000, 20, 5, 70),
    (14_740_000_000_000, 20, 5, 65),
    (19_650_000_000_000, 20, 5, 60),
    (24_560_000_000_000, 20, 5, 55),
    (29_470_000_000_000, 20, 5, 50),
    (34_380_000_000_000, 20, 5, 45),
    (39_300_000_000_000, 20, 5, 40),
    (44_210_000_000_000, 20, 5, 35),
    (49_120_000_000_000, 20, 5, 30),
    (54_030_000_000_000, 20, 5, 28),
    (58_940_000_000_000, 20, 5, 25),
    (63_860_000_000_000, 20, 5, 23),
    (68_770_000_000_000, 20, 5, 20),
    (73_681_000_000_000, 20, 5, 18),
    (78_590_000_000_000, 20, 5, 15),
    (83_500_000_000_000, 20, 5, 13),
    (88_400_000_000_000, 20, 5, 10),
    (93_330_000_000_000, 20, 5, 8),
    (98_240_000_000_000, 20, 5, 5),
)


@jitable
def tier_fees_bps(market_cap_lamports: int) -> tuple[int, int, int]:
    """Return the fees (lp, protocol, creator) in basis points for a token's market cap."""
    _, lp, protocol, creator = TIERS[0]
    for tier in TIERS[1:]:
        if market_cap_lamports < tier[0]:
            break
        _, lp, protocol, creator = tier
    return lp, protocol, creator
