"""Feeds: the sources of events."""
