"""Verification: re-derive a run from its events and compare it with what was recorded."""
