"""The market: its events, their validation, and the exact arithmetic of its pools."""
