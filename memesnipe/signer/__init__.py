"""The signer: holds the wallet's key behind an HTTP interface of its own."""
