"""A certificate authority and a certificate of this machine, as Ray's TLS needs them."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import ray
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_ANSWER_S = 10.0


def make_certificates(folder: Path) -> dict[str, str]:
    """Write an authority, a certificate and its key; return the environment with which Ray uses them."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of a test")])
    node = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node of a test")])
    is_authority = x509.BasicConstraints(ca=True, path_length=0)
    root = _builder(authority, authority, authority_key).add_extension(is_authority, critical=True)
    leaf = _builder(node, authority, key).add_extension(x509.SubjectAlternativeName(_addresses()), critical=False)
    files = {
        "RAY_TLS_CA_CERT": root.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
        "RAY_TLS_SERVER_CERT": leaf.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
        "RAY_TLS_SERVER_KEY": key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
    return {"RAY_USE_TLS": "1"} | {name: str(folder / name) for name in files}


def _addresses() -> list[x509.IPAddress]:
    """Return the addresses of this machine: Ray replaces that of loopback by the one of its node."""
    return [x509.IPAddress(ipaddress.ip_address(each)) for each in {"127.0.0.1", ray.util.get_node_ip_address()}]


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))


def accepts(address: str, environment: dict[str, str], *, with_tls: bool, with_key: bool) -> bool:
    """Return whether a gRPC server answers a client: without TLS, with TLS, and with a certificate of its own."""
    read = {name: Path(path).read_bytes() for name, path in environment.items() if name.startswith("RAY_TLS_")}
    pair = (read["RAY_TLS_SERVER_KEY"], read["RAY_TLS_SERVER_CERT"]) if with_key else (None, None)
    credentials = grpc.ssl_channel_credentials(read["RAY_TLS_CA_CERT"], *pair)
    with grpc.secure_channel(address, credentials) if with_tls else grpc.insecure_channel(address) as channel:
        try:
            channel.unary_unary("/nobody.Knows/This")(b"", timeout=_ANSWER_S)
        except grpc.RpcError as error:  # a method that does not exist, or no connection
            return error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
    raise AssertionError("the method exists")
