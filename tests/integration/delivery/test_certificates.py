"""Whose certificates are trusted."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from outbox.delivery import reaching
from outbox.delivery.line import Line
from outbox.delivery.outbound import Outbound
from tests.integration.delivery.conftest import LOOPBACK


class Authority:
    """A private certificate authority."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hotel CA")])
        basic = x509.BasicConstraints(ca=True, path_length=0)
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        key = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        self._certificate = self._sign(
            self._name, self._key.public_key(), [(basic, True), (usage, True), (key, False)]
        )
        self.pem = self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    def _sign(self, subject: x509.Name, key: Any, extensions: list[tuple[Any, bool]]) -> x509.Certificate:
        now = datetime.now(UTC)
        made = x509.CertificateBuilder(
            issuer_name=self._name,
            subject_name=subject,
            public_key=key,
            serial_number=x509.random_serial_number(),
            not_valid_before=now - timedelta(hours=1),
            not_valid_after=now + timedelta(hours=1),
        )
        for extension, critical in extensions:
            made = made.add_extension(extension, critical=critical)
        return made.sign(self._key, hashes.SHA256())

    def server(self, folder: Path, address: str) -> ssl.SSLContext:
        """What a server of this address shows."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = self._sign(x509.Name([]), key.public_key(), [(names, True), (issuer, False)])
        file = folder / "server.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


@asynccontextmanager
async def secured(context: ssl.SSLContext) -> AsyncIterator[str]:
    """An HTTPS server that accepts everything; its URL."""

    async def accept(_request: web.Request) -> web.Response:
        return web.Response(status=204)

    application = web.Application()
    application.router.add_post("/", accept)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("trusted", "address", "verdict"),
    [
        ("its own", "127.0.0.1", "delivered"),
        ("the system's", "127.0.0.1", "outage"),
        ("another", "127.0.0.1", "outage"),
        ("its own", "127.0.0.2", "outage"),
    ],
)
async def test_a_certificate_is_of_the_authority_that_is_set_and_of_the_host(
    session: ClientSession, tmp_path: Path, trusted: str, address: str, verdict: str
) -> None:
    authority = Authority()
    ca = {"its own": authority.pem, "another": Authority().pem, "the system's": None}[trusted]
    async with secured(authority.server(tmp_path, address)) as url:
        outcome = await Line(session, url, tls=reaching.tls(ca)).post(b"{}", {})
        assert outcome.verdict == verdict
        if verdict == "delivered":
            await reaching.reach(url, Outbound(allowed=LOOPBACK), ca)
        else:
            assert "certificate" in (outcome.error or "")
            with pytest.raises(ssl.SSLCertVerificationError):
                await reaching.reach(url, Outbound(allowed=LOOPBACK), ca)


async def test_what_is_kept_for_one_authority_is_not_used_for_another(
    session: ClientSession, tmp_path: Path
) -> None:
    authority = Authority()
    async with secured(authority.server(tmp_path, "127.0.0.1")) as url:
        trusting = Line(session, url, tls=reaching.tls(authority.pem))
        assert (await trusting.post(b"{}", {})).verdict == "delivered"
        assert (await Line(session, url).post(b"{}", {})).verdict == "outage"


@pytest.mark.parametrize("pem", ["", " ", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", "hunter2"])
def test_what_is_no_certificate_is_refused(pem: str) -> None:
    with pytest.raises(ValueError, match="PEM"):
        reaching.tls(pem)
