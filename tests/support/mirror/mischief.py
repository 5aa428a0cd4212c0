"""What a receiver may do to a request instead of answering it properly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Literal, get_args

from aiohttp import web

Trick = Literal["fail", "close", "cut", "garbage", "redirect", "apply-then-500", "apply-then-close", "hang"]
"""fail: 500, 503 or 408; close: no answer; cut: half a status line; garbage: no HTTP; redirect: to where nothing
should be sent; apply-then-…: applies what it then denies having taken; hang: until the sender gives up."""

TRICKS: tuple[Trick, ...] = get_args(Trick)
ELSEWHERE = "/elsewhere"
_RAW = {"cut": b"HTTP/1.1 20", "garbage": b"SSH-2.0-OpenSSH_9.2\r\n\r\n"}


def tricks(seed: int, share: float = 1 / 3) -> Iterator[Trick | None]:
    """For one request after the other, the trick to play: on a random `share` of them, hanging seldom."""
    chance = Random(seed)
    weights = [2 if trick == "hang" else 10 for trick in TRICKS]
    while True:
        yield chance.choices(TRICKS, weights)[0] if chance.random() < share else None


def played(trick: Trick, request: web.Request, apply: Callable[[], object]) -> web.Response:
    """The answer, if there is one. `apply` takes the message in. Hanging is the caller's to do."""
    if trick.startswith("apply"):
        apply()
    if trick == "redirect":
        return web.Response(status=307, headers={"location": ELSEWHERE})
    if trick in {"fail", "apply-then-500"}:
        return web.Response(status=500)
    transport = request.transport
    if transport is not None:
        transport.write(_RAW.get(trick, b""))
        transport.close()
    return web.Response(status=500)  # aiohttp notices that nobody is there to get it
