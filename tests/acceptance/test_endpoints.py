"""Endpoints by command: where messages may go, what they are signed with, and secrets that are shown once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.acceptance.test_bad_days import attempt
from tests.support.daemon import Roomwire
from tests.support.servers import Server

TOKEN = "Bearer s3cret"


@pytest.fixture
def server(pg18: Server) -> Server:
    """One server is enough: nothing here depends on which it is."""
    return pg18


async def test_what_may_not_be_sent_to_is_refused_and_said_the_same_everywhere(roomwire: Roomwire) -> None:
    await roomwire.command("endpoint", "add", "inside", "http://127.0.0.1:9/hook")
    roomwire.settings["ROOMWIRE_ALLOWED_NETWORKS"] = "10.0.0.0/8"
    sentence = "127.0.0.1 is not a public address; if messages shall go there, list it in ROOMWIRE_ALLOWED_NETWORKS"
    added = await attempt(["endpoint", "add", "other", "https://localhost:9/hook"], roomwire.environment())
    assert (added.code, added.err) == (1, f"{sentence}\n")
    checked = await attempt(["check", "--json"], roomwire.environment())
    assert f"Not reached: inside (127.0.0.1:9: {sentence})" in checked.out
    async with roomwire.running() as daemon:
        await daemon.logged(sentence)


async def test_without_secret_keys_there_are_no_endpoints(roomwire: Roomwire) -> None:
    await roomwire.command("endpoint", "add", "engine", "http://127.0.0.1:9/hook")
    roomwire.settings["ROOMWIRE_SECRET_KEYS"] = ""
    added = await attempt(["endpoint", "add", "other", "http://127.0.0.1:9/hook"], roomwire.environment())
    assert added.code == 1
    assert "ROOMWIRE_SECRET_KEYS is not set" in added.err
    assert "roomwire key secret" in added.err
    checked = await attempt(["check"], roomwire.environment())
    assert checked.code == 2
    assert "Nothing can be sent to engine" in checked.out
    async with roomwire.running() as daemon:
        await daemon.logged('"event": "endpoint_unusable"')
        assert "ROOMWIRE_SECRET_KEYS is not set" in daemon.log()


async def test_secrets_are_made_rotated_and_shown_once(roomwire: Roomwire, tmp_path: Path) -> None:
    tokens = tmp_path / "headers"
    tokens.write_text(f"Authorization: {TOKEN}\n\nX-Group: sakura\n")
    url = "http://127.0.0.1:9/hook"
    added = await roomwire.command("endpoint", "add", "engine", url, "--header", f"@{tokens}")
    (first,) = re.findall(r"whsec_\S+", added)
    rotated = await roomwire.command("endpoint", "rotate", "engine")
    (second,) = re.findall(r"whsec_\S+", rotated)
    assert "the secret before signs too for 24h" in rotated
    at_once = await roomwire.command("endpoint", "rotate", "engine", "--grace", "0")
    assert len({first, second, *re.findall(r"whsec_\S+", at_once)}) == 3
    shown = await roomwire.command("endpoint", "show", "engine")
    assert "headers     Authorization, X-Group" in shown
    assert not re.search(r"whs\w+_|s3cret", shown)
    wrong = await attempt(["endpoint", "rotate", "engine", "--grace", "soon"], roomwire.environment())
    assert (wrong.code, "24h, 90m or 2d" in wrong.err) == (1, True)


async def test_of_a_key_pair_only_the_public_half_is_shown(roomwire: Roomwire) -> None:
    added = await roomwire.command("endpoint", "add", "engine", "http://127.0.0.1:9/hook", "--sign", "ed25519")
    (first,) = re.findall(r"whpk_\S+", added)
    rotated = await roomwire.command("endpoint", "rotate", "engine")
    (second,) = re.findall(r"whpk_\S+", rotated)
    assert first != second
    shown = await roomwire.command("endpoint", "show", "engine")
    assert second in shown
    assert "the secret before signs too until" in shown
    assert "whsk_" not in added + rotated + shown


async def test_how_it_is_reached_can_be_changed(roomwire: Roomwire, tmp_path: Path) -> None:
    await roomwire.command("endpoint", "add", "engine", "https://127.0.0.1:9/hook", "--header", f"X-Token: {TOKEN}")
    await roomwire.command("endpoint", "change", "engine", "--header", f"Authorization: {TOKEN}")
    assert "headers     Authorization\n" in await roomwire.command("endpoint", "show", "engine")
    no_authority = tmp_path / "ca.pem"
    no_authority.write_text("hunter2")
    for words, remedy in (
        (["--ca", str(no_authority)], "one or more certificates in PEM"),
        (["--url", "https://10.0.0.1/"], "ROOMWIRE_ALLOWED_NETWORKS"),
        (["--url", "https://127.0.0.2:9/hook"], "the new url leads elsewhere"),
    ):
        refused = await attempt(["endpoint", "change", "engine", *words], roomwire.environment())
        assert refused.code == 1
        assert remedy in refused.err
    moved = await roomwire.command(
        "endpoint", "change", "engine", "--url", "https://127.0.0.2:9/hook", "--header", "none"
    )
    assert "`roomwire endpoint rotate engine` if somebody else receives now" in moved
    assert "headers" not in await roomwire.command("endpoint", "show", "engine")
