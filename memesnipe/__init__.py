"""MemeSnipe: a live simulation engine for Solana memecoins."""

__version__ = "24.0.0"
