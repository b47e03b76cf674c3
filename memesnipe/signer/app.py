"""The signer's public routes: its public key and its health. It cannot sign yet."""

from fastapi import FastAPI

import memesnipe
from memesnipe.api.answers import answer_errors


def create_signer_api(pubkey: str) -> FastAPI:
    """Return the application for one key."""
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
        """The signer is running."""
        return {"status": "healthy"}

    answer_errors(api, str)
    return api
