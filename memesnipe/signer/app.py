"""The signer's public face: whose key it holds, and that it is there. Nothing here can sign."""

from fastapi import FastAPI

import memesnipe
from memesnipe.api.answers import answer_errors


def create_signer_api(pubkey: str) -> FastAPI:
    """The routes for one key."""
    api = FastAPI(
        title="MemeSnipe signer",
        version=memesnipe.__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )

    @api.get("/pubkey")
    def show_pubkey() -> dict[str, str]:
        """The public key, which is the wallet's address."""
        return {"pubkey": pubkey}

    @api.get("/health")
    def show_health() -> dict[str, str]:
        """That the signer is there."""
        return {"status": "healthy"}

    answer_errors(api, str)
    return api
