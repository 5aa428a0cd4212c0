"""ETags of answers: the digest of what they say, without the time they say it at."""

from hashlib import blake2b

import orjson


def tag(*parts: object) -> str:
    """The digest of these parts, each of which is JSON."""
    return digest(orjson.dumps(parts))


def digest(body: bytes) -> str:
    """The digest of what is JSON already."""
    return blake2b(body, digest_size=12).hexdigest()
