"""The Solana wallet of this installation."""
