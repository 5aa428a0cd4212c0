"""Rotation of what signs an endpoint's messages."""

from psycopg import AsyncConnection

from outbox import signing
from outbox.delivery.outbound import Outbound
from outbox.settings import EndpointError, signer_of
from sql import endpoints


async def rotate(
    conn: AsyncConnection, name: str, outbound: Outbound, *, grace: float, secret: str | None = None
) -> str:
    """Give an endpoint another secret of its kind, and return it; the one it had signs on for `grace` seconds.

    Raises:
        EndpointError: there is none of this name, it is sent no signatures, the grace of its last rotation goes on,
            or the secret is poor.
        SecretsError: nothing is set that it could be encrypted with, or the one before cannot be read, which only
            matters where it shall sign on.
    """
    found = await endpoints.sealed(conn, name)
    if not found:
        raise EndpointError(f"there is no endpoint named {name!r}; `roomwire endpoint list` shows them")
    was = found[0]
    if was.format == "cache-refresh":
        raise EndpointError(f"{name} is sent no signatures: its key is a header")
    if was.old_secret_until and grace > 0:
        raise EndpointError(
            f"the secret before signs until {was.old_secret_until:%Y-%m-%d %H:%M} UTC, and may be the one that is"
            " verified with; wait until then, or rotate without any grace"
        )
    if grace > 0:
        outbound.secrets.decrypt(was.secret)
    new = secret or signing.new_secret("ed25519" if was.public_key else "hmac")
    public_key = signer_of(new).public
    sealed = outbound.secrets.encrypt(new)
    if not await endpoints.rotate(conn, was, secret=sealed, public_key=public_key, grace=grace):
        raise EndpointError(f"the secret of {name!r} was changed by somebody else at this moment; try again")
    return new
