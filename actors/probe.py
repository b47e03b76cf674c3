"""Looks at the server of an address before Ray connects to it: Ray retries for minutes, or ends the process."""

import socket
from typing import Final

from actors.loopback import PROBE_S
from memesnipe.errors import MemeSnipeError, first_line

# What a client of HTTP/2 says first, with an empty SETTINGS frame (RFC 9113, section 3.4). A server of gRPC answers
# with its own SETTINGS; one that requires TLS answers with an alert, or closes the connection.
_HELLO: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_TLS_ALERT: Final = b"\x15"


def probe(address: str, *, uses_tls: bool) -> None:
    """Check that a server listens at an address, and does not require TLS from a client without.

    Args:
        address: HOST:PORT; anything else is not checked.
        uses_tls: whether the client uses TLS.

    Raises:
        MemeSnipeError: it is not so.
    """
    host, separator, port = address.removeprefix("ray://").rpartition(":")
    if not separator or not port.isdecimal():
        return  # `auto`, for example
    try:
        with socket.create_connection((host, int(port)), timeout=PROBE_S) as connection:
            requires_tls = not uses_tls and _requires_tls(connection)
    except OSError as error:
        raise MemeSnipeError(f"no Ray cluster responds at {address}: {first_line(error)}; check RAY_ADDRESS") from error
    if requires_tls:
        hint = "check RAY_ADDRESS, and RAY_USE_TLS with certificates"
        raise MemeSnipeError(f"no Ray cluster responds at {address}: the server requires TLS; {hint}")


def _requires_tls(connection: socket.socket) -> bool:
    try:
        connection.sendall(_HELLO)
        answer = connection.recv(1)
    except TimeoutError:
        return False  # a busy server; Ray will see
    except OSError:
        return True  # it has closed the connection
    return answer in (b"", _TLS_ALERT)
