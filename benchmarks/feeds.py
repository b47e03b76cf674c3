"""Frames per second that the feed of pump.fun reads, joins, decodes, judges and translates on one core.

Run: python benchmarks/feeds.py [RECORDED_FRAMES]

RECORDED_FRAMES is a file of lines of JSON with a frame as text in `raw`.
"""

import sys
import time
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import orjson

from memesnipe.feeds.base import END, FeedMessage
from memesnipe.feeds.positioned import PositionedFeed
from memesnipe.feeds.pumpfun.feed import PumpfunFeed
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.plausible import LAST_TS
from memesnipe.testing.pumpfun_market import MarketEncoder

RECORDED = Path("../shared/data/wire/helius/logs_subscribe_pumpfun.jsonl")
REAL_RATE = 328  # frames/s of one recorded subscription to pump.fun over 5 minutes, failed transactions included
FRAMES = 30_000
BATCH = 512


class Frames(PositionedFeed):
    """Frames that have all arrived."""

    def __init__(self, frames: list[str]) -> None:
        self._frames = frames

    def messages(self, position: int) -> Iterator[FeedMessage]:
        """Yield the frames after the first ``position`` ones."""
        yield from self._frames[position:]


def recorded_frames(path: Path) -> list[str]:
    """Return recorded frames, repeated as other transactions."""
    texts = [orjson.loads(line)["raw"] for line in path.read_bytes().splitlines()]
    repeated = (text.replace('"signature":"', f'"signature":"{n}') for n in count() for text in texts)
    return list(islice(repeated, FRAMES))


def built_frames() -> list[str]:
    """Return frames of the synthetic market; none of its transactions failed."""
    encoder = MarketEncoder()
    frames = map(encoder.encode, SyntheticFeed(0).messages(0))
    return list(islice((frame for frame in frames if frame is not None), FRAMES))


def measure(name: str, frames: list[str], endpoints: int) -> None:
    feed = PumpfunFeed({str(n): Frames(frames) for n in range(endpoints)}, lambda: 200.0, lambda: LAST_TS)
    feed.open(None)
    messages = 0
    began = time.process_time()
    while (polled := feed.poll(BATCH, 0.0)) is not END:
        messages += len(polled) if isinstance(polled, list) else 0
    elapsed_s = time.process_time() - began
    rate = endpoints * len(frames) / elapsed_s
    print(
        f"{name}, {endpoints} endpoint{'s' * (endpoints > 1)}: {rate:,.0f} frames/s, {rate / REAL_RATE:.0f} times the "
        f"real {REAL_RATE}; {messages / elapsed_s:,.0f} messages/s"
    )


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else RECORDED
    sources = {"synthetic market": built_frames()}
    if path.is_file():
        sources["recorded"] = recorded_frames(path)
    else:
        print(f"{path} does not exist: only built frames are measured")
    for name, frames in sources.items():
        for endpoints in (1, 2):
            measure(name, frames, endpoints)


if __name__ == "__main__":
    main()
