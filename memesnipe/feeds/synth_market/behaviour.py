"""What market participants do: the parameters of the mechanism, in SOL and seconds, and the codes of their actions.

Sizes of buys may be set to measured ones (docs/synthetic-market.md names the sources). Counts, moves, reserves, peaks
and holding times are not set anywhere: they result from what follows.
"""

from typing import Final

# Actions on a token's agenda.
ARRIVAL: Final = 1  # a buyer who comes alone
FOLLOWER: Final = 2  # a buyer who follows another
LOOK: Final = 3  # the owner of a position looks at the price
BOT_BUY: Final = 4
BOT_SELL: Final = 5
SNIPE: Final = 6
INSIDER_SALE: Final = 7
DEV_TRANSFER_PLAN: Final = 8
REPORT_HOLDERS: Final = 9
REPORT_MENTIONS: Final = 10
MIGRATE: Final = 11
BUNDLE_BUY: Final = 12
DEPOSIT: Final = 13
WITHDRAW: Final = 14
AIRDROP: Final = 15
EDGE_BUY: Final = 16
EDGE_CAUSE: Final = 17
POST: Final = 18
REPORT_POST: Final = 19
REVIVE: Final = 20
BUY_AHEAD: Final = 21
EDGE_COLLECT: Final = 22
EDGE_DUMP: Final = 23

# Interest: the buyers who come on their own, at a rate that falls like a power of age.
INTEREST_MEDIAN: Final = 1.6
INTEREST_SIGMA: Final = 1.75
HOT_CHANCE: Final = 0.017  # of a token that many hear of at its launch
HOT_INTEREST: Final = 88.0
HOT_SIGMA: Final = 1.4
INTEREST_MAX: Final = 4000.0
FADES_MEDIAN_S: Final = 25.0
FADES_SIGMA: Final = 0.8
FADE_POWER: Final = 0.45  # share of the buyers still to come: (1 + age / fades_s) ** -FADE_POWER

# Followers: a visible buy is copied within a second or two.
VIRALITY: Final = (0.05, 0.6)
FOLLOW_S: Final = 1.4
FOLLOW_FROM_SOL: Final = 0.05
AUDIENCE_PER_INTEREST: Final = 8.0

# Sizes of buys, from the recorded trades of five tokens: median 0.1 SOL where no volume bot trades, p99 of 2.6 to 3.5.
BUY_SOL: Final = 0.09
BUY_SIGMA: Final = 1.7
WEALTH_SOL: Final = 2.5
WEALTH_SIGMA: Final = 0.35
FAST_SHARE: Final = 0.5

# Bots that buy ahead of a crowd, and the dip of a large sale.
AHEAD_S: Final = 20.0
AHEAD_SHARE: Final = 0.4  # of the expected SOL
AHEAD_OF_GRADUATE: Final = 0.2  # the same when its pool opens
AHEAD_SIGMA: Final = 0.5
AHEAD_WAIT_S: Final = 0.2
MEAN_BELOW_WEALTH: Final = 0.75  # of a buy, as nobody spends more than he has
DIP_FROM: Final = 0.04  # log fall of the price by one sale
DIP_AHEAD: Final = 4.0  # of the expected SOL at most
CRASH_FROM: Final = 0.2  # fall of the price by one sale after which part of the crowd stays away for good
CRASH_POWER: Final = 2.0  # the share that still comes: (1 - fall) ** CRASH_POWER
DIP_SHARE: Final = 0.7  # of what was sold

# The developer, the snipers, and makers who buy the whole curve at once to graduate.
DEV_SOL: Final = 1.4
DEV_SIGMA: Final = 0.9
DEV_MAX_SOL: Final = 8.0
SNIPERS: Final = 2.4
SNIPER_SOL: Final = 0.55
SNIPER_SIGMA: Final = 0.9
BUNDLED_CHANCE: Final = 0.0014

# Owners look at the price again and again; at each look they sell at a gain, at a loss, or because they are bored.
LOOK_S: Final = (6.5, 95.0)
LOOK_SIGMA: Final = 0.9
LOOK_GROWS: Final = (1.35, 1.6)
BORED: Final = (0.33, 0.09)
TARGET: Final = (0.3, 1.2)
TARGET_SIGMA: Final = 0.8
STOP: Final = (0.15, 0.4)
HALF_CHANCE: Final = 0.2  # of taking only half of a gain

# Volume bots buy and sell the same small amount all the time.
VOLUME_BOT_CHANCE: Final = 0.04
HOT_VOLUME_BOT_CHANCE: Final = 0.5
VOLUME_BOT_SOL: Final = 0.0125
VOLUME_BOT_EVERY_S: Final = 1.6
VOLUME_BOT_LASTS_S: Final = 200.0

# After graduation.
SYNTHETIC_CHANCE: Final = 0.28  # of graduations whose last buy goes on into the pool (20 to 37 % in 2026-10)
MIGRATION_S: Final = (1.0, 12.0)
GRADUATE_INTEREST: Final = 250.0
GRADUATE_INTEREST_SIGMA: Final = 1.3
GRADUATE_FADES_S: Final = 220.0
REVIVALS: Final = 2.0  # expected number of times that a graduate is heard of again, at random hours
REVIVAL_EVERY_S: Final = 5_000.0
REVIVAL_FADES_S: Final = 60.0
AHEAD_OF_REVIVAL: Final = 0.5
REVIVAL_SIGMA: Final = 1.5
BUNDLE_SELLS_S: Final = 330.0
BUNDLE_SELLS_SIGMA: Final = 1.3
GRADUATE_FADES_SIGMA: Final = 1.1
GRADUATE_BUY_SOL: Final = 2.5
GRADUATE_BUY_SIGMA: Final = 0.8
GRADUATE_WEALTH_SOL: Final = 20.0
