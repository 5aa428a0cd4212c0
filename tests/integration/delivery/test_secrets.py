"""What is secret of endpoints: encrypted where it stands, rotated while messages go on, and read by nobody else."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError

from outbox import changing, endpoints, rotation, signing
from outbox.delivery import sealing
from outbox.delivery.outbound import Outbound
from outbox.secrets import Secrets, SecretsError, new_secret_key
from outbox.settings import EndpointError, Settings
from sql.endpoints import sealed
from tests.integration.delivery.conftest import Bench, eventually
from tests.integration.delivery.documents import booking_id
from tests.integration.delivery.receiver import Received, Receiver
from tests.support.servers import ON_PG18

pytestmark = ON_PG18

TOKEN = "Bearer t0ken-of-a-gateway"


def verified(received: Received, secret: str) -> bool:
    """Whether a receiver that knows this secret takes it."""
    try:
        Webhook(secret).verify(received.raw, received.headers)
    except WebhookVerificationError:
        return False
    return True


async def stored(bench: Bench) -> str:
    """All that stands of endpoints, as text."""
    rows = await bench.rows("select e::text from booking_engine.endpoint e")
    return "\n".join(row[0] for row in rows)


async def told(bench: Bench, number: int) -> Received:
    """A message of now."""
    await bench.documents.booking(7, booking_id(number))
    await bench.receiver.until(
        lambda: any(one.data["booking_id"] == booking_id(number) for one in bench.receiver.accepted)
    )
    return next(one for one in bench.receiver.accepted if one.data["booking_id"] == booking_id(number))


async def test_what_stands_in_the_table_is_encrypted(bench: Bench) -> None:
    await bench.endpoint(headers={"Authorization": TOKEN})
    await rotation.rotate(bench.documents.conn, "engine", bench.outbound, grace=60)
    rows = await stored(bench)
    assert "authorization" in rows.lower()
    for secret in (bench.receiver._secret, TOKEN, "t0ken"):
        assert secret.removeprefix("whsec_") not in rows
        assert secret not in repr(await endpoints.overview(bench.documents.conn))


async def test_headers_go_with_every_message(bench: Bench) -> None:
    await bench.endpoint(headers={"Authorization": TOKEN, "X-Hotel-Group": "sakura"})
    async with bench.delivering():
        received = await told(bench, 1)
    assert (received.headers["authorization"], received.headers["x-hotel-group"]) == (TOKEN, "sakura")


async def test_headers_stay_as_they_are_until_they_are_changed(bench: Bench) -> None:
    await bench.endpoint(headers={"Authorization": TOKEN})
    conn = bench.documents.conn
    moved = f"{bench.receiver.url}?moved"
    await changing.change(conn, "engine", {"url": moved}, replace(bench.outbound, keys=None))
    async with bench.delivering():
        assert (await told(bench, 1)).headers["authorization"] == TOKEN
    with pytest.raises(SecretsError):
        await changing.change(conn, "engine", {"headers": {"X-Token": "b"}}, replace(bench.outbound, keys=None))
    await changing.change(conn, "engine", {"headers": {"X-Token": "b"}}, bench.outbound)
    async with bench.delivering():
        headers = (await told(bench, 2)).headers
    assert ("authorization" in headers, headers["x-token"]) == (False, "b")
    await changing.change(conn, "engine", {"headers": {}}, bench.outbound)
    assert await bench.rows("select headers from booking_engine.endpoint") == [({},)]


async def test_a_change_leaves_what_it_does_not_name(bench: Bench) -> None:
    url = bench.receiver.url.removesuffix("/hook")
    await bench.endpoint(format="cache-refresh", headers={"Authorization": TOKEN}, url=url)
    kept = "select format, types, headers, url from booking_engine.endpoint"
    before = await bench.rows(kept)
    await changing.change(bench.documents.conn, "engine", {"concurrency": 3, "types": None}, bench.outbound)
    assert await bench.rows(kept) == before
    with pytest.raises(EndpointError, match="asks for a key"):
        await changing.change(bench.documents.conn, "engine", {"headers": {}}, bench.outbound)
    with pytest.raises(EndpointError, match="ROOMWIRE_ALLOWED_NETWORKS"):
        await changing.change(bench.documents.conn, "engine", {"url": "https://10.0.0.1/"}, bench.outbound)
    assert await bench.rows(kept) == before


async def test_both_secrets_sign_until_the_grace_ends(bench: Bench) -> None:
    old = bench.receiver._secret
    await bench.endpoint()
    async with bench.delivering():
        assert len((await told(bench, 1)).headers["webhook-signature"].split()) == 1
        new = await rotation.rotate(bench.documents.conn, "engine", bench.outbound, grace=3600)
        numbers = iter(range(2, 1000))

        async def both() -> bool:
            received = await told(bench, next(numbers))
            assert verified(received, old)
            return verified(received, new)

        await eventually(both)
        bench.receiver._secret = new
        await bench.documents.conn.execute("update booking_engine.endpoint set old_secret_until = now()")

        async def one() -> bool:
            received = await told(bench, next(numbers))
            assert verified(received, new)
            return not verified(received, old)

        await eventually(one)


async def test_a_rotation_waits_for_the_grace_of_the_last_one_unless_it_has_none(bench: Bench) -> None:
    await bench.endpoint()
    conn = bench.documents.conn
    first = await rotation.rotate(conn, "engine", bench.outbound, grace=3600)
    with pytest.raises(EndpointError, match=r"signs until .* UTC"):
        await rotation.rotate(conn, "engine", bench.outbound, grace=3600)
    second = await rotation.rotate(conn, "engine", bench.outbound, grace=0)
    assert first != second
    assert await bench.rows("select old_secret, old_secret_until from booking_engine.endpoint") == [(None, None)]
    with pytest.raises(EndpointError, match="no endpoint named 'other'"):
        await rotation.rotate(conn, "other", bench.outbound, grace=0)
    with pytest.raises(EndpointError, match="whsec_"):
        await rotation.rotate(conn, "engine", bench.outbound, grace=0, secret="hunter2")


async def test_key_pairs_sign_what_their_public_key_verifies(bench: Bench) -> None:
    bench.receiver = Anyone()
    async with bench.receiver:
        await bench.endpoint(secret=signing.new_secret("ed25519"))
        async with bench.delivering():
            received = await told(bench, 1)
            public, kept = (await public_key(bench)), received
            new = await rotation.rotate(bench.documents.conn, "engine", bench.outbound, grace=3600)
            assert new.startswith("whsk_")
            assert await public_key(bench) != public
            verify(kept, public)
            with pytest.raises(InvalidSignature):
                verify(replace(kept, raw=kept.raw + b" "), public)


class Anyone(Receiver):
    """Takes what is signed by a key pair, unverified."""

    def __init__(self) -> None:
        super().__init__(signing.new_secret())

    def verify(self, raw: bytes, headers: dict[str, str]) -> None:
        """Nothing."""


async def public_key(bench: Bench) -> str:
    (overview,) = await endpoints.overview(bench.documents.conn)
    assert overview.public_key is not None
    return overview.public_key


def verify(received: Received, public: str) -> None:
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    scheme, _, signature = received.headers["webhook-signature"].partition(",")
    assert scheme == "v1a"
    said = f"{received.headers['webhook-id']}.{received.headers['webhook-timestamp']}.".encode() + received.raw
    key.verify(base64.b64decode(signature), said)


async def test_without_secret_keys_nothing_is_added_and_the_remedy_is_said(bench: Bench) -> None:
    with pytest.raises(SecretsError, match=r"ROOMWIRE_SECRET_KEYS is not set.*roomwire key secret"):
        await endpoints.add(bench.documents.conn, Settings("engine", "https://example.com"), Outbound())
    assert await bench.count("endpoint") == 0


async def test_where_they_cannot_be_read_other_endpoints_go_on(bench: Bench) -> None:
    await bench.endpoint("readable")
    elsewhere = Outbound(Secrets([new_secret_key()]), bench.outbound.allowed)
    await endpoints.add(bench.documents.conn, Settings("sealed", bench.receiver.url), elsewhere)
    async with bench.delivering():
        await told(bench, 1)
    assert await bench.rows(
        "select e.name from booking_engine.behind b join booking_engine.endpoint e on e.id = b.endpoint_id"
    ) == [("sealed",)]


async def test_what_an_older_key_encrypted_is_encrypted_by_the_newest_when_a_worker_starts(bench: Bench) -> None:
    old, new = new_secret_key(), new_secret_key()
    conn, allowed = bench.documents.conn, bench.outbound.allowed
    bench.outbound = Outbound(Secrets([old]), allowed)
    await bench.endpoint(headers={"Authorization": TOKEN})
    await rotation.rotate(conn, "engine", bench.outbound, grace=3600)
    bench.outbound = Outbound(Secrets([new, old]), allowed)

    async def resealed() -> bool:
        (found,) = await sealed(conn)
        return Secrets([new]).opens(found.stored)

    assert not await resealed()
    async with bench.delivering():
        await eventually(resealed)
    bench.outbound = Outbound(Secrets([new]), allowed)
    async with bench.delivering():
        received = await told(bench, 1)
    assert received.headers["authorization"] == TOKEN
    assert len(received.headers["webhook-signature"].split()) == 2
    assert await sealing.reseal(conn, Secrets([new, old])) == 0, "nothing is left to do"


async def test_what_no_key_can_read_is_left_as_it_is(bench: Bench) -> None:
    await bench.endpoint(headers={"Authorization": TOKEN})
    before = await sealed(bench.documents.conn)
    assert await sealing.reseal(bench.documents.conn, Secrets([new_secret_key()])) == 0
    assert await sealed(bench.documents.conn) == before


async def test_a_secret_is_forgotten_once_its_grace_has_ended(bench: Bench) -> None:
    await bench.endpoint()
    await rotation.rotate(bench.documents.conn, "engine", bench.outbound, grace=3600)
    await sealing.maintain(bench.pool, bench.outbound.keys)
    assert await bench.count("endpoint where old_secret is not null") == 1
    await bench.documents.conn.execute("update booking_engine.endpoint set old_secret_until = now()")
    await sealing.maintain(bench.pool, bench.outbound.keys)
    assert await bench.rows("select old_secret, old_secret_until from booking_engine.endpoint") == [(None, None)]


async def test_what_cannot_be_kept_is_said_and_left_for_later(bench: Bench) -> None:
    await bench.documents.conn.execute("alter table booking_engine.endpoint rename column old_secret to other")
    with structlog.testing.capture_logs() as logged:
        await sealing.maintain(bench.pool, bench.outbound.keys)
    assert [(line["event"], "old_secret" in line["error"]) for line in logged] == [("secrets_not_kept", True)]
