"""Headers that an operator adds to every message of an endpoint, such as a token that its gateway asks for."""

import re
from collections.abc import Iterable, Mapping

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
"""RFC 9110, a token."""
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,3998}[\x21-\x7e])?")
_MOST = 20
_OURS = re.compile(
    "webhook-.*|content-.*|host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|accept-encoding",
    re.IGNORECASE,
)
"""What says what a message is, or how it is carried."""


def read_headers(lines: Iterable[str]) -> dict[str, str]:
    """Headers written as `Name: value`.

    Raises:
        ValueError: a line is not, or a header cannot be set; the message does not show its value.
    """
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError("a header is 'Name: value'")
        found[name.strip()] = value.strip()
    check_headers(found)
    return found


def check_headers(headers: Mapping[str, str]) -> None:
    """Look whether they can be sent.

    Raises:
        ValueError: they cannot; the message does not show a value.
    """
    if len(headers) > _MOST or len({name.lower() for name in headers}) < len(headers):
        raise ValueError(f"at most {_MOST} headers, each once")
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise ValueError("a header's name is letters, digits and hyphens")
        if _OURS.fullmatch(name):
            raise ValueError(f"the header {name} is Roomwire's own to set")
        if not _VALUE.fullmatch(value):
            raise ValueError(f"the value of the header {name} is up to 4,000 printable ASCII characters")
