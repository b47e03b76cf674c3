"""Feeds: where events come from."""
