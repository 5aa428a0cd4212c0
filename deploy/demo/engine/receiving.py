"""The booking engine's core: verify a message, apply it, and tell the pages what changed."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from deploy.demo.engine import board, feed
from deploy.demo.engine.audience import Audience
from deploy.demo.engine.knowledge import ID_FIELDS, Document, Knowledge
from deploy.demo.engine.measures import Measures

LINES = 40
"""Booking messages that the page lists."""
BEAT = 0.25
"""Seconds between looks at the figures; nights and bookings are shown at once."""


class Engine:
    """A booking engine.

    Args:
        secret: The endpoint's signing secret, `whsec_…`.

    Attributes:
        knowledge: What it knows.
        measures: What it measured.
        lines: The latest booking messages, newest first.
        heartbeat: The last heartbeat's data, None before the first.
        in_step: Set once snapshots have closed the first sync of every hotel. What comes from then on is measured.
        audience: The pages that look on.
    """

    def __init__(self, secret: str) -> None:
        self._webhook = Webhook(secret)
        self.knowledge = Knowledge()
        self.measures = Measures()
        self.lines: deque[dict[str, Any]] = deque(maxlen=LINES)
        self.heartbeat: Document | None = None
        self.in_step = asyncio.Event()
        self.audience = Audience(self.state)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._restate = False

    def state(self) -> dict[str, Any]:
        """Everything that the page shows."""
        return board.state(self)

    def receive(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Take in one message.

        Args:
            body: The request's body.
            headers: Its headers, by lower-case name.

        Raises:
            WebhookVerificationError: The signature is wrong or too old.
        """
        now = time.time()
        self.measures.received += 1
        try:
            message = self._webhook.verify(body, dict(headers))
        except WebhookVerificationError as error:
            self.measures.refuse(str(error))
            raise
        self.measures.verified += 1
        sent = datetime.fromisoformat(message["timestamp"]).timestamp()
        self._apply(message["type"], message["data"], (now - sent) * 1000)

    async def arrival(self, booking: str) -> dict[str, Any]:
        """Wait for the first message on a booking that was just made; returns its line."""
        for line in self.lines:
            if line["booking_id"] == booking:
                return line
        waiting = self._waiting.setdefault(booking, asyncio.get_running_loop().create_future())
        try:
            return await waiting
        finally:
            self._waiting.pop(booking, None)

    async def keep_figures(self) -> None:
        """Show the figures, and all of the state where more than single nights changed or a day began; for ever."""
        shown: dict[str, Any] = {}
        nights = board.window()
        while True:
            await asyncio.sleep(BEAT)
            figures = board.figures(self)
            if self._restate or nights != board.window():
                self._restate, nights = False, board.window()
                self.audience.tell(self.state())
            elif figures != shown:
                self.audience.tell({"kind": "figures", "figures": figures})
            shown = figures

    def _apply(self, type_: str, data: Document, delay: float) -> None:
        kind, _, event = type_.partition(".")
        if kind == "heartbeat":
            self.heartbeat = data
        elif type_ == "hotel.snapshot":
            self.knowledge.apply_snapshot(data)
            self._restate = True
            if self.knowledge.all_closed:
                self.in_step.set()
        elif kind == "availability":
            self._nights(data, delay)
        elif kind in ID_FIELDS:
            self._document(kind, event, data, delay)

    def _nights(self, data: Document, delay: float) -> None:
        changed = self.knowledge.apply_nights(data)
        if not self.in_step.is_set():
            self._restate = True
            return
        self.measures.delays.append(delay)
        shown = set(board.window())
        news = {
            room_type: {day: night[1:] for day, night in nights.items() if day in shown}
            for room_type, nights in changed.items()
        }
        if any(news.values()):
            told = {str(room_type): nights for room_type, nights in news.items()}
            self.audience.tell({"kind": "nights", "hotel": data["hotel_id"], "room_types": told})

    def _document(self, kind: str, event: str, data: Document, delay: float) -> None:
        change = self.knowledge.apply_document(kind, data, gone=event == "deleted")
        if change is None:
            return
        if not self.in_step.is_set():
            self._restate = True
            return
        self.measures.delays.append(delay)
        if kind != "booking":
            self._restate |= kind in {"hotel", "room_type"}
            return
        line = feed.line(self.knowledge, event, *change, delay)
        self.lines.appendleft(line)
        self.audience.tell({"kind": "booking", "line": line})
        waiting = self._waiting.get(data["booking_id"])
        if waiting is not None and not waiting.done():
            waiting.set_result(line)
