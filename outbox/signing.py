"""Standard Webhooks signatures, and ids that stay the same for the same content."""

import base64
import hashlib
import hmac
import secrets
from binascii import Error as BinasciiError
from collections.abc import Sequence
from typing import Literal, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Scheme = Literal["hmac", "ed25519"]
"""hmac: a secret that both sides hold, `whsec_`; ed25519: a private key, `whsk_`, and its public one, `whpk_`."""

_SHARED, _PRIVATE, _PUBLIC = "whsec_", "whsk_", "whpk_"
_SHORTEST, _LONGEST = 24, 64
_SEED = 32


class Signer(Protocol):
    """Signs with one secret.

    Attributes:
        public: what a receiver verifies with where that is not the secret itself, `whpk_…`.
    """

    public: str | None

    def sign(self, signed: bytes) -> str:
        """One entry of `webhook-signature`."""


class _Shared:
    def __init__(self, key: bytes) -> None:
        self.public: str | None = None
        self._key = key

    def sign(self, signed: bytes) -> str:
        return "v1," + _text(hmac.digest(self._key, signed, "sha256"))


class _KeyPair:
    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.raw_public = self._key.public_key().public_bytes_raw()
        self.public: str | None = _PUBLIC + _text(self.raw_public)

    @property
    def secret(self) -> str:
        return _PRIVATE + _text(self._key.private_bytes_raw() + self.raw_public)

    def sign(self, signed: bytes) -> str:
        return "v1a," + _text(self._key.sign(signed))


def new_secret(scheme: Scheme = "hmac") -> str:
    """A fresh secret: `whsec_` and 32 random bytes in base64, or `whsk_` and a key pair of 64 bytes."""
    if scheme == "ed25519":
        return _KeyPair(secrets.token_bytes(_SEED)).secret
    return _SHARED + _text(secrets.token_bytes(32))


def signer(secret: str) -> Signer:
    """What signs with a secret.

    Raises:
        ValueError: it is neither `whsec_` and 24 to 64 bytes in base64, nor `whsk_` and a key pair. The message
            does not show it.
    """
    if secret.startswith(_PRIVATE):
        return _key_pair(_bytes(secret.removeprefix(_PRIVATE)))
    key = _bytes(secret.removeprefix(_SHARED))
    if not secret.startswith(_SHARED) or not _SHORTEST <= len(key) <= _LONGEST:
        raise ValueError(f"a secret is '{_SHARED}' and {_SHORTEST} to {_LONGEST} bytes in base64")
    return _Shared(key)


def _key_pair(key: bytes) -> _KeyPair:
    """From a seed of 32 bytes, or from the seed and its public key, as libsodium keeps them."""
    if len(key) in {_SEED, 2 * _SEED}:
        pair = _KeyPair(key[:_SEED])
        if key[_SEED:] in {b"", pair.raw_public}:
            return pair
    raise ValueError(f"an ed25519 secret is '{_PRIVATE}' and a key pair of 64 bytes, or its seed of 32, in base64")


def signature(signers: Sequence[Signer], webhook_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of the very bytes that are sent, by each signer; `timestamp`: seconds since 1970."""
    signed = b"%s.%d.%s" % (webhook_id.encode(), timestamp, body)
    return " ".join(each.sign(signed) for each in signers)


def webhook_id(endpoint_id: int, kind: str, data: bytes) -> str:
    """The id of a message: the digest of its endpoint and of what it says, its time left out.

    The same content keeps its id over retries, restarts and workers, so that a receiver can drop what it has seen.
    """
    digest = hashlib.blake2b(b"%d\n%s\n%s" % (endpoint_id, kind.encode(), data), digest_size=18)
    return "msg_" + base64.urlsafe_b64encode(digest.digest()).decode()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    """What it stands for; nothing where it is not base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (BinasciiError, ValueError):
        return b""
