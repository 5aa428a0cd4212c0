"""Standard Webhooks, against the packages that receivers use."""

import base64
import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
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


def test_each_of_several_secrets_signs() -> None:
    secrets = [new_secret(), new_secret()]
    at = int(datetime.now(UTC).timestamp())
    signed = signature([signer(secret) for secret in secrets], "msg_1", at, BODY)
    sent = {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": signed}
    for secret in secrets:
        assert Webhook(secret).verify(BODY, sent)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, sent)


def test_a_key_pair_signs_what_its_public_key_verifies() -> None:
    pair = signer(new_secret("ed25519"))
    assert pair.public is not None
    assert pair.public.startswith("whpk_")
    scheme, _, signed = signature([pair], "msg_1", 1_700_000_000, BODY).partition(",")
    assert scheme == "v1a"
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(pair.public.removeprefix("whpk_")))
    public.verify(base64.b64decode(signed), b"msg_1.1700000000." + BODY)


def test_a_key_pair_is_read_with_its_public_half_and_without() -> None:
    """RFC 8032, 7.1, test 1."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    for secret in (seed, seed + public):
        pair = signer("whsk_" + base64.b64encode(secret).decode())
        assert pair.public == "whpk_" + base64.b64encode(public).decode()
    with pytest.raises(ValueError, match="a key pair of 64 bytes"):
        signer("whsk_" + base64.b64encode(seed + seed).decode())


def test_new_key_pairs_are_new_each_time() -> None:
    secrets = [new_secret("ed25519") for _ in range(5)]
    assert len(set(secrets)) == 5
    assert {len(base64.b64decode(secret.removeprefix("whsk_"))) for secret in secrets} == {64}


@pytest.mark.parametrize("secret", ["whsk_c2hvcnQ=", "whsk_not base64", "whpk_" + "A" * 43 + "="])
def test_a_poor_key_pair_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(ValueError, match="secret is 'whs") as caught:
        signer(secret)
    assert secret not in str(caught.value)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "hunter2", "whsec_c2hvcnQ=", "whsec_not base64 at all, but long enough to be it!", "é"]
)
def test_a_poor_secret_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_") as caught:
        signer(secret)
    assert not secret.removeprefix("whsec_") or secret not in str(caught.value)
