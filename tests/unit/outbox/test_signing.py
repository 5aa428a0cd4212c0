"""Standard Webhooks, against the packages that receivers use."""

import base64
import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from outbox.messages.examples import EXAMPLES
from outbox.signing import new_secret, signature, signer, webhook_id
from tests.unit.outbox.samples import as_json

NODE = Path(__file__).with_name("node")
BODY = as_json(EXAMPLES["booking.created"])


def headers(secret: str, body: bytes = BODY, at: datetime | None = None) -> dict[str, str]:
    """What goes out with a body."""
    timestamp = int((at or datetime.now(UTC)).timestamp())
    number = webhook_id(1, "booking.created", body)
    signed = signature([signer(secret)], number, timestamp, body)
    return {"webhook-id": number, "webhook-timestamp": str(timestamp), "webhook-signature": signed}


def test_the_python_package_verifies_what_we_sign() -> None:
    secret = new_secret()
    assert Webhook(secret).verify(BODY, headers(secret)) == EXAMPLES["booking.created"]


def test_the_python_package_signs_the_same() -> None:
    secret, at = new_secret(), datetime(2026, 11, 23, 5, 14, 56, tzinfo=UTC)
    expected = Webhook(secret).sign("msg_1", at, BODY.decode())
    assert signature([signer(secret)], "msg_1", int(at.timestamp()), BODY) == expected


@pytest.mark.parametrize("change", ["secret", "body", "webhook-id", "webhook-timestamp"])
def test_nothing_signed_can_be_changed(change: str) -> None:
    secret = new_secret()
    sent = headers(secret)
    body = BODY.replace(b"27400", b"17400") if change == "body" else BODY
    if change == "webhook-id":
        sent[change] += "x"
    if change == "webhook-timestamp":
        sent[change] = str(int(sent[change]) + 1)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret() if change == "secret" else secret).verify(body, sent)


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the npm package, installed from its lock file."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed: the npm package is not checked")
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "package-lock.json", "verify.mjs"):
        shutil.copy(NODE / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
    installed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    if installed.returncode:
        pytest.skip(f"npm cannot install the package here: {installed.stderr.strip()[-300:]}")
    return folder


@pytest.mark.parametrize("genuine", [True, False])
def test_the_npm_package_verifies_what_we_sign(node: Path, genuine: bool) -> None:
    secret = new_secret()
    given = {"secret": secret, "headers": headers(secret), "body": BODY.decode() + ("" if genuine else " ")}
    run = subprocess.run(
        ["node", "verify.mjs"], cwd=node, input=json.dumps(given), capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout) == ({"verified": EXAMPLES["booking.created"]} if genuine else {"refused": True})


def test_the_same_content_keeps_its_id_and_other_content_gets_another() -> None:
    first = webhook_id(1, "booking.created", BODY)
    assert webhook_id(1, "booking.created", bytes(bytearray(BODY))) == first
    others = {
        webhook_id(2, "booking.created", BODY),
        webhook_id(1, "booking.updated", BODY),
        webhook_id(1, "booking.created", BODY + b" "),
    }
    assert len(others | {first}) == 4


def test_secrets_are_new_each_time_and_long_enough() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert {len(base64.b64decode(secret.removeprefix("whsec_"))) for secret in secrets} == {32}


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "hunter2", "whsec_c2hvcnQ=", "whsec_not base64 at all, but long enough to be it!", "é"]
)
def test_a_poor_secret_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_") as caught:
        signer(secret)
    assert not secret.removeprefix("whsec_") or secret not in str(caught.value)
