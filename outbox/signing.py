"""Standard Webhooks signatures, and ids that stay the same for the same content."""

import base64
import hashlib
import hmac
import secrets
from binascii import Error as BinasciiError

_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64


def new_secret() -> str:
    """A fresh secret: `whsec_` and 32 random bytes in base64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signing_key(secret: str) -> bytes:
    """The key that a secret stands for.

    Raises:
        ValueError: it is not `whsec_` and 24 to 64 bytes in base64. The message does not show it.
    """
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (BinasciiError, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        raise ValueError(f"a secret is '{_PREFIX}' and {_SHORTEST} to {_LONGEST} bytes in base64")
    return key


def sign(key: bytes, webhook_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of the very bytes that are sent; `timestamp` in seconds since the epoch."""
    signed = b"%s.%d.%s" % (webhook_id.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def webhook_id(endpoint_id: int, kind: str, data: bytes) -> str:
    """The id of a message: the digest of its endpoint and of what it says, its time left out.

    The same content keeps its id over retries, restarts and workers, so that a receiver can drop what it has seen.
    """
    digest = hashlib.blake2b(b"%d\n%s\n%s" % (endpoint_id, kind.encode(), data), digest_size=18)
    return "msg_" + base64.urlsafe_b64encode(digest.digest()).decode()
