"""What to do about a feed that delivers nothing: one clause for each way in which a service cannot be read."""

import re
from typing import Final

# By feed: the setting with its URL, and that with its key ("" for none).
SETTINGS: Final = {
    "pumpfun": ("SOLANA_WS_URL", ""),
    "helius": ("HELIUS_WS_URL", "HELIUS_API_KEY"),
    "pyth": ("PYTH_URL", "PYTH_API_KEY"),
    "jupiter": ("JUPITER_API_URL", "JUPITER_API_KEY"),
    "dexscreener": ("DEXSCREENER_URL", ""),
    "hyperliquid": ("HYPERLIQUID_URL", ""),
    "farcaster": ("FARCASTER_URL", "NEYNAR_API_KEY"),
    "x": ("X_URL", "X_BEARER_TOKEN"),
    "localnet": ("SOLANA_WS_URL", ""),
    "signals": ("SIGNALS_FILE", ""),
    "webhook": ("WEBHOOK_PORT", "WEBHOOK_TOKEN_FILE"),
}
# What an error says, and what to do about it; the first that fits. {url} and {key} are names of settings.
_ADVICE: Final = tuple(
    (re.compile(pattern), advice)
    for pattern, advice in (
        (r"Connection refused", "nothing listens there: check host and port in {url}"),
        (r"gaierror|Name or service|name resolution", "no such host: check {url} and this machine's DNS"),
        (r"unreachable|No route", "check this machine's network"),
        (
            r"CERTIFICATE_VERIFY_FAILED",
            "its certificate is not trusted: check the host in {url}, this machine's clock, and any proxy in between",
        ),
        (r"SSL", "it does not speak TLS: check scheme and port in {url}"),
        (r"HTTP 40[13]", "the key is missing, wrong, or not allowed this: check {key}"),
        (r"HTTP 404", "there is no such service: check the path in {url}"),
        (r"HTTP 429", "too many requests: it is asked again after the time that it names; a key may allow more"),
        (r"HTTP 3\d\d|InvalidURI|redirects", "redirects are not followed: check {url}"),
        (r"HTTP 5\d\d", "the service itself fails; it is asked again"),
        (r"InvalidMessage|RemoteProtocolError|DecodingError", "what answers is another kind of server: check {url}"),
        (r"subscription was refused", "the node or the plan does not offer it: check {key} or name another {url}"),
        (
            r"not acknowledged|no frame for|no byte for|ping was not answered|[Tt]imed? ?out",
            "it is reached and silent: try later, or name another server in {url}",
        ),
        (r"price of SOL is unknown", "no feed of that price has delivered one: see jupiter or pyth"),
    )
)
_NO_KEY: Final = "its access rules"


def advice(feed: str, endpoint: str, error: str) -> str:
    """Return what to do about an error of an endpoint; "" where nothing is known to help.

    Args:
        feed: name of the feed.
        endpoint: name of its endpoint, which may be that of another feed: Helius is one of pump.fun.
        error: its error in one line.
    """
    for pattern, found in _ADVICE:
        if pattern.search(error):
            url, key = settings_of(feed, endpoint)
            return found.format(url=url, key=key or _NO_KEY)
    return ""


def settings_of(feed: str, endpoint: str) -> tuple[str, str]:
    """Return the names of the settings with the URL and the key of an endpoint; "" where there is none."""
    if feed == "helius" and endpoint not in SETTINGS:
        feed = "pumpfun"  # a public websocket beside it
    return SETTINGS.get(endpoint) or SETTINGS.get(feed, ("", ""))


def silence_of(feed: str, seconds: float, *, is_connected: bool) -> str:
    """Return why a feed without an error has delivered nothing, in the seconds for which it was read."""
    if is_connected:
        return f"connected, and nothing arrived in {seconds:g} s: it may have nothing new; read longer with --seconds"
    url = settings_of(feed, feed)[0]
    return f"no answer in {seconds:g} s: a firewall, or a stalled server in {url}; read longer with --seconds"
