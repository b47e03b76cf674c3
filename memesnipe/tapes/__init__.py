"""Tapes: recorded events on disk, and the import of swaps recorded by others."""
