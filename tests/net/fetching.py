"""Helpers for tests of fetching: a certificate authority for test servers, and a resolver of host names."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from editor.net.fetch import Limits, NotFetched, fetch

HOST, OTHER = "pictures.example", "other.example"
# For fetches that must end before their timeout.
PATIENT = Limits(seconds=60, connect_seconds=60, dns_seconds=60, content_bytes=1024**2)

NO_URL = "The image URL is not a valid URL."
NO_HTTPS = "The image URL, and every URL it redirects to, must begin with https://."
CANNOT_BE_OPENED = "The image URL cannot be opened. "
NOT_PLAIN = f"{CANNOT_BE_OPENED}This is not a URL that the portal can open."
OTHER_PORT = f"{CANNOT_BE_OPENED}Only https URLs on port 443 are allowed."
PRIVATE = f"{CANNOT_BE_OPENED}Addresses in private networks are not allowed."
NOT_PUBLIC_HOST = "The host of the image URL does not exist or is not public."

# The usage of the authority's key, which newer Pythons require.
_SIGNS = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=False,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """Signs certificates. `pem` is a file with its own, `trust` a client's context that trusts it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        own = (
            _builder(self._name, self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_SIGNS, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = folder / "authority.pem"
        self.pem.write_bytes(own.public_bytes(Encoding.PEM))
        self.trust = ssl.create_default_context(cafile=str(self.pem))

    def server(self, *names: str) -> ssl.SSLContext:
        """The context of a server with a certificate for these hosts or addresses."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate(*names))
        return context

    def certificate(self, *names: str) -> Path:
        """A new file with a key and its certificate for these hosts or addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        certificate = (
            _builder(subject, self._name, key.public_key())
            .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        path = self._folder / f"{certificate.serial_number}.pem"
        path.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + certificate.public_bytes(Encoding.PEM)
        )
        return path


class Names:
    """A resolver with the addresses of each host name. `requested`: the names it was asked for, in order.

    A name with several answers returns the next one each time, and the last one from then on.
    """

    def __init__(self, answers: dict[str, list[list[str]]]) -> None:
        self._answers = {host: list(each) for host, each in answers.items()}
        self.requested: list[str] = []

    async def __call__(self, host: str) -> list[str]:
        self.requested.append(host)
        if host not in self._answers:
            raise OSError("unknown")
        answers = self._answers[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]


def here() -> Names:
    """Both hosts resolve to this machine."""
    return Names({HOST: [["127.0.0.1"]], OTHER: [["127.0.0.1"]]})


def at(host: str, server_url: str, path: str = "/cat.png") -> str:
    """The URL of a path at the server, with another host name."""
    return f"https://{host}:{server_url.rpartition(':')[2]}{path}"


async def refusal(
    url: str, *, names: Names | None = None, trust: ssl.SSLContext | None = None, limits: Limits = PATIENT
) -> str:
    """The message with which the fetch is refused."""
    with pytest.raises(NotFetched) as caught:
        await fetch(url, limits=limits, resolve=names or here(), tls=trust)
    return caught.value.message


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
