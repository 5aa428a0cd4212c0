"""Secrets: encrypted where they are stored, and keys for every purpose derived from what the operator keeps."""

from collections.abc import Iterable, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

REMEDY = "a secret key is 32 bytes in URL-safe base64; `roomwire key secret` makes one"


class SecretsError(Exception):
    """A secret key is none, or what is stored was encrypted with a key that is gone. It never shows either."""


def new_secret_key() -> str:
    """A fresh secret key."""
    return Fernet.generate_key().decode()


class Secrets:
    """Encrypts with the newest secret key, and reads what any of them has encrypted.

    Args:
        keys: newest first; to rotate, put a new one in front and drop the last once nothing needs it.

    Raises:
        SecretsError: there is none, or one of them is no secret key.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise SecretsError(REMEDY) from None
        self._keys = tuple(key.encode() for key in keys)

    def __repr__(self) -> str:
        return f"Secrets({len(self._keys)} keys)"

    def encrypt(self, text: str) -> str:
        """Encrypt a text, for storing."""
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, stored: str) -> str:
        """Read what `encrypt` made.

        Raises:
            SecretsError: none of the keys has made it.
        """
        try:
            return self._fernet.decrypt(stored).decode()
        except InvalidToken:
            raise SecretsError(
                "a stored secret was encrypted with a key that is not among ROOMWIRE_SECRET_KEYS; put it back"
            ) from None

    def is_newest(self, stored: str) -> bool:
        """Whether the newest secret key made it."""
        return _made(Fernet(self._keys[0]), stored)

    def opens(self, stored: Iterable[str]) -> bool:
        """Whether all of it can be read."""
        return all(_made(self._fernet, each) for each in stored)

    def renew(self, stored: str) -> str:
        """The same, encrypted with the newest secret key.

        Raises:
            SecretsError: none of the keys has made it.
        """
        return self.encrypt(self.decrypt(stored))

    def derive(self, purpose: str) -> list[bytes]:
        """Keys of 32 bytes for one purpose alone, newest first (HKDF-SHA256, RFC 5869)."""
        info = f"roomwire {purpose}".encode()
        return [HKDF(SHA256(), 32, salt=None, info=info).derive(key) for key in self._keys]


def _made(key: Fernet | MultiFernet, stored: str) -> bool:
    try:
        key.decrypt(stored)
    except InvalidToken:
        return False
    return True
