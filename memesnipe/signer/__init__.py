"""The signer: holds the wallet's key behind a separate HTTP interface."""
