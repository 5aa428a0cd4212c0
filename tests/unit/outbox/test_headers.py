"""Headers that an operator adds."""

import pytest

from outbox.headers import check_headers, read_headers
from outbox.settings import EndpointError, Settings


def test_lines_become_headers() -> None:
    lines = ["Authorization: Bearer a.b:c", "X-Group:sakura ", "x-empty-looking:  : "]
    assert read_headers(lines) == {"Authorization": "Bearer a.b:c", "X-Group": "sakura", "x-empty-looking": ":"}


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("Bearer s3cret", "a header is 'Name: value'"),
        (": s3cret", "a header's name"),
        ("X Token: s3cret", "a header's name"),
        ("Tökén: s3cret", "a header's name"),
        ("X-Token:", "printable ASCII"),
        ("X-Token: s3cret\r\nX-Other: 1", "printable ASCII"),
        ("X-Token: s3cret\0", "printable ASCII"),
        ("X-Token: s3cretñ", "printable ASCII"),
        ("X-Token: s3cret" + "x" * 4000, "printable ASCII"),
        ("Webhook-Id: s3cret", "Roomwire's own"),
        ("webhook-signature: s3cret", "Roomwire's own"),
        ("WEBHOOK-TIMESTAMP: s3cret", "Roomwire's own"),
        ("Content-Type: s3cret", "Roomwire's own"),
        ("content-length: s3cret", "Roomwire's own"),
        ("Content-Encoding: s3cret", "Roomwire's own"),
        ("Host: s3cret", "Roomwire's own"),
        ("Transfer-Encoding: s3cret", "Roomwire's own"),
        ("Connection: s3cret", "Roomwire's own"),
        ("Proxy-Authorization: s3cret", "Roomwire's own"),
        ("Expect: s3cret", "Roomwire's own"),
    ],
)
def test_what_cannot_be_added_is_refused_without_showing_it(line: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy) as caught:
        read_headers([line])
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("headers", [{"X-Token": "a", "x-token": "b"}, {f"X-{n}": "a" for n in range(21)}])
def test_each_once_and_not_too_many(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="at most 20 headers, each once"):
        check_headers(headers)


def test_an_endpoint_s_headers_are_looked_at_and_not_shown() -> None:
    with pytest.raises(EndpointError, match="Roomwire's own"):
        Settings("engine", "https://engine.example/", headers={"Host": "s3cret"})
    assert "s3cret" not in repr(Settings("engine", "https://engine.example/", headers={"X-Token": "s3cret"}))
