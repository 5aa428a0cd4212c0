"""Nothing that is secret, and nothing of a guest, stands in a log line or in an error."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import orjson
import psycopg
from psycopg.conninfo import make_conninfo

from outbox.signing import new_secret
from tests.acceptance.test_booking import FAR, asked
from tests.support.daemon import SECRET_KEY, Roomwire, until

GUEST = {"name": "秘密花子", "email": "himitsu@example.jp", "phone": "090-4649-5963"}
WISH = "誰にも言わないで"
PASSWORD = "the-writers-own-pass"


class Engine:
    """A booking engine that does much wrong, and keeps what it was told.

    Attributes:
        errors: the texts of answers that were errors.
        codes: what they are called.
    """

    def __init__(self, url: str, key: str, http: aiohttp.ClientSession) -> None:
        self._url, self._key, self._http = url, key, http
        self.errors: list[str] = []
        self.codes: set[str] = set()

    async def ask(
        self, method: str, path: str, content: bytes | dict[str, Any] | None = None, **headers: str
    ) -> dict[str, Any]:
        """The answer's JSON. Headers are written with underscores."""
        data = orjson.dumps(content) if isinstance(content, dict) else content
        sent = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._http.request(method, self._url + path, data=data, headers=sent) as answer:
            text = await answer.text()
        said: dict[str, Any] = orjson.loads(text)
        if answer.status >= 400:
            self.errors.append(text)
            self.codes.add(said["code"])
        return said

    async def book(self, body: dict[str, Any], **headers: str) -> dict[str, Any]:
        """Book with an Idempotency-Key of its own."""
        return await self.ask("POST", "/bookings", body, **({"Idempotency_Key": str(uuid4())} | headers))

    async def shout(self, text: bytes) -> None:
        """Send what is no HTTP, and keep what is answered."""
        address = urlsplit(self._url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(text)
        self.errors.append((await reader.read()).decode())
        writer.close()
        await writer.wait_closed()


async def test_nothing_secret_is_logged_or_said_in_an_error(roomwire: Roomwire) -> None:
    roomwire.settings["ROOMWIRE_LOG_LEVEL"] = "debug"
    plain = roomwire.environment()["ROOMWIRE_WRITER_DSN"]
    roomwire.settings["ROOMWIRE_WRITER_DSN"] = make_conninfo(plain, password=PASSWORD)
    await roomwire.command("setup")
    async with roomwire.running() as first:
        await roomwire.settled()
    secret = new_secret()
    await roomwire.add_endpoint("engine", "http://127.0.0.1:9/hook", secret)
    key = await roomwire.add_key()
    secrets = [key, key[15:], SECRET_KEY, PASSWORD, secret.removeprefix("whsec_")]
    async with roomwire.running() as daemon, aiohttp.ClientSession() as http:
        engine = Engine(await daemon.api(), key, http)
        secrets += await go_wrong(roomwire, engine, key)
        assert await daemon.end() == 0
    assert engine.codes >= {
        "unauthorized", "broken_json", "invalid_request", "quote_invalid", "idempotency_key_reused",
        "already_booked", "if_match_missing", "not_found", "price_changed", "unavailable",
    }  # fmt: skip
    for text in (first.log(), daemon.log(), *engine.errors):
        for hidden in (*secrets, *GUEST.values(), WISH):
            assert hidden not in text, hidden


async def go_wrong(roomwire: Roomwire, engine: Engine, key: str) -> list[str]:
    """Make every kind of error; returns the secrets that were told meanwhile."""
    stay = asked(FAR, guest=GUEST, requests=WISH)
    made = await engine.book(stay, Idempotency_Key="one")
    assert made["guest"]["email"] == GUEST["email"], made
    token = (await engine.ask("POST", "/auth/token", {}))["access_token"]
    days = {name: stay[name] for name in ("check_in", "check_out", "rooms")}
    quoted = days | {"hotel_id": stay["hotel_id"]}
    quote = (await engine.ask("POST", "/quotes", quoted))["quote"]
    for credentials in (key[:-1] + "x", f"rw_{key[15:]}", token[:-3] + "xyz", f"{key} {key}"):
        await engine.ask("GET", "/hotels", Authorization=f"Bearer {credentials}")
    await engine.ask("GET", f"/{key}")
    await engine.ask("GET", f"/hotels?key={key}")
    await engine.shout(f"GET / HTTP/1.1\r\nAuthorization {key}\r\n\r\n".encode())
    await engine.shout(f"{key} {GUEST['email']}\r\n\r\n".encode())
    await engine.ask("POST", "/bookings", orjson.dumps(stay)[:-1], Idempotency_Key=str(uuid4()))
    await engine.book(stay | {"note": GUEST["email"]}, Idempotency_Key=str(uuid4()))
    await engine.book(stay | {"guest": {"name": [GUEST["name"]], "email": f"{GUEST['email']} {WISH}"}})
    await engine.book(stay | {"quote": quote[:-3] + "xyz", "external_id": str(uuid4())})
    await engine.book(stay | {"expected_total": 1, "external_id": str(uuid4())})
    await engine.book(stay)
    await engine.book(stay | {"requests": None}, Idempotency_Key="one")
    await engine.ask("PUT", f"/bookings/{made['booking_id']}", days, Idempotency_Key=str(uuid4()))
    await broken_off(roomwire, engine, stay | {"external_id": str(uuid4())})
    return [token, quote, token.rpartition(".")[2], quote.rpartition(".")[2]]


async def broken_off(roomwire: Roomwire, engine: Engine, stay: dict[str, Any]) -> None:
    """Let the server end a booking's session in the middle of it."""
    end = (
        "select count(pg_terminate_backend(pid)) from pg_stat_activity"
        " where usename = %s and wait_event_type = 'Lock'"
    )
    async with await psycopg.AsyncConnection.connect(roomwire.database.dsn) as desk:
        await desk.execute("lock table clients in share mode")
        booking = asyncio.create_task(engine.book(stay))

        async def ended() -> bool:
            row = await (await desk.execute(end, [roomwire.writer])).fetchone()
            return bool(row and row[0])

        assert await until(ended, 60)
        await booking
