"""The README's example runs as it is printed."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from outbox.signing import new_secret

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
def example() -> dict[str, Any]:
    """The names that the example defines."""
    found = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)
    return names


def signed(secret: str, what: str, version: int) -> tuple[bytes, dict[str, str]]:
    body = json.dumps({"type": what, "data": {"booking_id": "b", "version": version}})
    now = datetime.now(UTC)
    signature = Webhook(secret).sign("msg_1", now, body)
    stamp = str(int(now.timestamp()))
    return body.encode(), {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": signature}


def test_it_applies_what_is_not_older(example: dict[str, Any]) -> None:
    secret = new_secret()
    example["receive"](*signed(secret, "booking.updated", 7), secret)
    example["receive"](*signed(secret, "booking.created", 5), secret)
    assert example["bookings"]["b"]["version"] == 7
    example["receive"](*signed(secret, "booking.deleted", 8), secret)
    assert example["bookings"] == {}


def test_it_refuses_a_wrong_signature(example: dict[str, Any]) -> None:
    with pytest.raises(WebhookVerificationError):
        example["receive"](*signed(new_secret(), "booking.updated", 7), new_secret())
