"""The calibrated synthetic market: whole markets from a seed, compiled (docs/synthetic-market.md)."""
