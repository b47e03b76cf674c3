"""Verification: rederive a run from its events, and compare the result with its records."""
