"""Solana: the wallet of this installation."""
