"""The Next.js example believes what Roomwire signs, and nothing else."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from outbox.messages.examples import EXAMPLES
from outbox.signing import new_secret, signature, signer
from tests.support.nextjs.build import verified
from tests.unit.outbox.samples import as_json

NOW = 1_795_401_296
SECRET, OTHER = new_secret(), new_secret()
BODY = as_json(EXAMPLES["booking.created"])


def signed(secret: str = SECRET, body: bytes = BODY) -> str:
    """The signature of msg_1 at NOW."""
    return signature([signer(secret)], "msg_1", NOW, body)


def request(
    body: bytes = BODY, *, secrets: tuple[str, ...] = (SECRET,), now: int = NOW, **headers: str
) -> dict[str, Any]:
    """A request signed with SECRET at NOW, with some headers changed, or left out where they are "-"."""
    given: dict[str, str] = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(NOW),
        "webhook-signature": signed(),
    }
    given |= {f"webhook-{name}": value for name, value in headers.items()}
    kept = {name: value for name, value in given.items() if value != "-"}
    return {"headers": kept, "body": base64.b64encode(body).decode(), "secrets": secrets, "now": now}


def test_what_we_sign_is_believed(nextjs: Path) -> None:
    right = signed()
    wrong = signed(OTHER)
    latin = b'{"type":"\xe9\xff"}'
    cases = [
        request(),
        request(secrets=(OTHER, SECRET)),
        request(signature=f"{wrong} {right}"),
        request(signature=f"v1a,AAAA v2,{right[3:]} v1, v1,%% {right}"),
        request(now=NOW + 300),
        request(now=NOW - 300),
        request(latin, signature=signed(body=latin)),
    ]
    assert verified(nextjs, cases) == ["msg_1"] * len(cases)


def test_what_was_changed_or_is_not_ours_is_refused(nextjs: Path) -> None:
    right = signed()
    rewritten = BODY.replace(b'":', b'": ')
    cases = [
        request(BODY.replace(b"27400", b"17400")),
        request(rewritten),
        request(BODY + b" "),
        request(b""),
        request(secrets=(OTHER,)),
        request(secrets=()),
        request(id="msg_2"),
        request(timestamp=str(NOW + 1)),
        request(signature=right[:-4] + "AAA="),
        request(signature=f"v2,{right[3:]}"),
        request(signature=f"v1a,{right[3:]}"),
        request(signature=right[3:]),
    ]
    assert verified(nextjs, cases) == [{"refused": "no signature matches"}] * len(cases)


@pytest.mark.parametrize("value", ["-", ""])
def test_every_header_is_needed(nextjs: Path, value: str) -> None:
    cases = [request(id=value), request(timestamp=value), request(signature=value)]
    assert verified(nextjs, cases) == [{"refused": "a webhook header is missing"}] * 3


def test_a_time_that_is_far_from_now_is_refused(nextjs: Path) -> None:
    far = [request(now=NOW + 301), request(now=NOW - 301)]
    assert verified(nextjs, far) == [{"refused": "webhook-timestamp is too far from now"}] * 2
    odd = [request(timestamp=value) for value in ("NaN", "1e3", "-5", "Infinity", f"{NOW}.5", "0x10", "9" * 30)]
    said = verified(nextjs, odd)
    assert said == [{"refused": "webhook-timestamp is not a number of seconds"}] * len(odd)


def test_a_public_key_believes_signatures_of_its_private_key_only(nextjs: Path) -> None:
    ours, theirs = new_secret("ed25519"), new_secret("ed25519")
    public = signer(ours).public
    assert public is not None
    cases = [
        request(secrets=(public,), signature=f"{signed()} {signed(ours)}"),
        request(secrets=(public,), signature=f"{signed()} {signed(theirs)}"),
    ]
    assert verified(nextjs, cases) == ["msg_1", {"refused": "no signature matches"}]
