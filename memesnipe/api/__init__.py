"""The dashboard, the API behind it, and the signer's public face."""
