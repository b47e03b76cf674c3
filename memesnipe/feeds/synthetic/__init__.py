"""The synthetic market: a feed that generates its events from a seed."""
