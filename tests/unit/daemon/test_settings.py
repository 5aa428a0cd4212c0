"""Settings: all faults at once, values by file, and no secret where somebody may see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.settings import Settings, SettingsError, read, split
from outbox.secrets import new_secret_key

DSN = "postgresql://roomwire_capture:s3cret@db.example/pms"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from an environment that names the database and nothing else."""
    for name in Settings.model_fields:
        for variable in (f"ROOMWIRE_{name.upper()}", f"ROOMWIRE_{name.upper()}_FILE"):
            monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("ROOMWIRE_DSN", DSN)


def refused(**environment: str) -> str:
    """What is said of an environment with these variables too."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        with pytest.raises(SettingsError) as caught:
            read()
    return str(caught.value)


def test_a_dsn_is_enough() -> None:
    settings = read()
    assert settings.dsn.get_secret_value() == DSN
    assert (settings.slot, settings.time_zone, settings.plugin) == ("roomwire", "Asia/Tokyo", "auto")


def test_every_fault_stands_in_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROOMWIRE_DSN")
    said = refused(
        ROOMWIRE_SLOT="My-Slot",
        ROOMWIRE_PLUGIN="decoderbufs",
        ROOMWIRE_TIME_ZONE="Asia/Tokio",
        ROOMWIRE_PATIENCE_SECONDS="0",
        ROOMWIRE_API_PORT="70000",
        ROOMWIRE_AGENT_FILE="/nowhere/agent",
    )
    faults = said.splitlines()[1:]
    names = ["DSN", "SLOT", "PLUGIN", "TIME_ZONE", "PATIENCE_SECONDS", "API_PORT", "AGENT_FILE"]
    assert {fault.strip().partition(":")[0] for fault in faults} == {f"ROOMWIRE_{name}" for name in names}
    assert "/nowhere/agent" in said
    assert "ROOMWIRE_DSN: it is not set. The PMS's database" in said
    assert "'auto', 'wal2json' or 'pgoutput'" in said


def test_a_value_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "dsn"
    secret.write_text(f"{DSN}\n", encoding="utf-8")
    monkeypatch.delenv("ROOMWIRE_DSN")
    monkeypatch.setenv("ROOMWIRE_DSN_FILE", str(secret))
    assert read().dsn.get_secret_value() == DSN


def test_the_command_line_goes_before_the_environment_and_that_before_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slot").write_text("by_file")
    monkeypatch.setenv("ROOMWIRE_SLOT_FILE", str(tmp_path / "slot"))
    assert read().slot == "by_file"
    monkeypatch.setenv("ROOMWIRE_SLOT", "by_environment")
    assert read().slot == "by_environment"
    assert read(slot="by_word").slot == "by_word"
    assert read(slot=None).slot == "by_environment"


def test_no_secret_is_shown() -> None:
    settings = read()
    for shown in (repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert "s3cret" not in shown


@pytest.mark.parametrize(
    "dsn",
    ["postgresql://u:s3cret@db/%zz", "host=db pass word='s3cret", "postgres://u:s3cret@[::1/x"],
)
def test_a_dsn_that_cannot_be_read_is_refused_without_quoting_it(dsn: str) -> None:
    said = refused(ROOMWIRE_DSN=dsn)
    assert "ROOMWIRE_DSN" in said
    assert "s3cret" not in said


def test_an_empty_dsn_is_none() -> None:
    assert "ROOMWIRE_DSN" in refused(ROOMWIRE_DSN="")


def test_a_file_that_is_no_text_is_refused_without_quoting_it(tmp_path: Path) -> None:
    (tmp_path / "dsn").write_bytes(b"s3cret\xff")
    said = refused(ROOMWIRE_SLOT_FILE=str(tmp_path / "dsn"))
    assert "ROOMWIRE_SLOT_FILE" in said
    assert "s3cret" not in said


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WRITER_DSN", "SECRET_KEYS", "REDIS_URL", "TRUSTED_PROXIES", "PMS_USER"):
        monkeypatch.setenv(f"ROOMWIRE_{name}", "")
    settings = read()
    assert (settings.writer_dsn, settings.secret_keys, settings.redis_url) == (None, None, None)
    assert (settings.trusted_proxies, settings.pms_user) == ("", 2)


def test_secret_keys_are_several_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [new_secret_key(), new_secret_key()]
    monkeypatch.setenv("ROOMWIRE_SECRET_KEYS", f"{keys[0]}, {keys[1]},")
    settings = read()
    assert settings.secret_keys is not None
    assert split(settings.secret_keys) == keys
    assert keys[0] not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SECRET_KEYS", "s3cret", "roomwire key secret"),
        ("SECRET_KEYS", ",", "roomwire key secret"),
        ("WRITER_DSN", "postgres s3cret", "libpq"),
        ("REDIS_URL", "http://:s3cret@redis.example", "redis://"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, s3cret", "CIDR"),
        ("PMS_USER", "0", "greater than or equal to 1"),
        ("AUDIT_DAYS", "0", "greater than or equal to 1"),
    ],
)
def test_what_the_api_needs_is_checked_and_not_shown(name: str, value: str, words: str) -> None:
    said = refused(**{f"ROOMWIRE_{name}": value})
    assert words in said
    assert "s3cret" not in said
