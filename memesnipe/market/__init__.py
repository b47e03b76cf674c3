"""The market: its events, tapes of them, and the exact arithmetic of its pools."""
