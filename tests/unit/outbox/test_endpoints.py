"""What an endpoint may be."""

from typing import Any

import pytest

from outbox.settings import EndpointError, Settings
from outbox.signing import new_secret
from sql.delivery import Target


@pytest.mark.parametrize(
    "url",
    [
        "https://engine.example/api/webhooks",
        "http://127.0.0.1:3000/hook?tenant=7",
        "http://[::1]:8080/",
        "https://予約.example/通知",
    ],
)
def test_urls_that_can_be_sent_to_are_taken(url: str) -> None:
    assert Settings("engine", url).url == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "engine.example/hook",
        "ftp://engine.example/",
        "https://",
        "https:///hook",
        "https://engine.example:0/",
        "https://engine.example:99999/",
        "https://engine.example/ho ok",
        "https://engine.example/\r\nx-header: 1",
        "https://user:secret@engine.example/",
        "https://user@engine.example/",
        "http://[::1/",
        "http://127.1/",
        "http://0x7f.1/",
        "http://2130706433/",
        "https://0xa9fea9fe/",
    ],
)
def test_other_urls_are_not(url: str) -> None:
    with pytest.raises(EndpointError, match="url"):
        Settings("engine", url)


@pytest.mark.parametrize(
    ("wishes", "remedy"),
    [
        ({"name": " "}, "name"),
        ({"hotels": []}, "at least one hotel"),
        ({"bookings": "some"}, "'all' or 'own'"),
        ({"max_bytes": 10}, "max_bytes is between"),
        ({"concurrency": 0}, "concurrency is between"),
        ({"rate_per_second": -1}, "rate_per_second is between"),
        ({"heartbeat_seconds": -1}, "heartbeat_seconds is between"),
        ({"secret": "hunter2-hunter2"}, "whsec_"),
    ],
)
def test_impossible_wishes_are_refused_with_a_remedy(wishes: dict[str, Any], remedy: str) -> None:
    given = {"name": "engine", "url": "https://engine.example/"} | wishes
    with pytest.raises(EndpointError, match=remedy) as caught:
        Settings(**given)
    assert "hunter2" not in str(caught.value)


def test_secrets_are_not_shown() -> None:
    secret = new_secret()
    settings = Settings("engine", "https://engine.example/", secret=secret)
    target = Target(1, "engine", settings.url, secret, False, False, 20_000, 8)
    assert secret not in repr(settings) + repr(target)
    assert Settings("a", settings.url).secret != Settings("b", settings.url).secret
