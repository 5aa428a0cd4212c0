"""Settings: `ROOMWIRE_…` in the environment, or `ROOMWIRE_…_FILE` naming a file that holds the value.

This is the only module that reads the environment. docs/SETTINGS.md lists every setting.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from api.access.addresses import parse_networks
from outbox.secrets import Secrets, SecretsError

PREFIX = "ROOMWIRE_"


class SettingsError(Exception):
    """The environment does not make valid settings; the message names every fault."""


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("not an IANA time zone, such as Asia/Tokyo")
    return name


def check_dsn(dsn: str) -> None:
    """Make sure that libpq can read a connection string.

    Raises:
        ValueError: it cannot; libpq's own words would quote it, password and all.
    """
    try:
        conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        raise ValueError("neither a libpq URI (postgresql://…) nor key=value pairs") from None


def _readable(dsn: SecretStr) -> SecretStr:
    check_dsn(dsn.get_secret_value())
    return dsn


def _secret_keys(keys: SecretStr) -> SecretStr:
    try:
        Secrets(split(keys))
    except SecretsError as error:
        raise ValueError(str(error)) from None
    return keys


def split(keys: SecretStr) -> list[str]:
    """The secret keys, newest first."""
    return [key.strip() for key in keys.get_secret_value().split(",") if key.strip()]


def _redis(url: SecretStr) -> SecretStr:
    if urlsplit(url.get_secret_value()).scheme not in {"redis", "rediss"}:
        raise ValueError("a redis:// or rediss:// URL")
    return url


def _networks(text: str) -> str:
    try:
        parse_networks(text)
    except ValueError:
        raise ValueError("addresses and CIDR ranges, separated by commas") from None
    return text


_Name = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]


class Settings(BaseSettings):
    """What an operator may set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    dsn: Annotated[SecretStr, AfterValidator(_readable)] = Field(
        min_length=1,
        description="The PMS's database, as the role roomwire_capture: a libpq URI or key=value string.",
    )
    slot: _Name = Field("roomwire", description="Name of the replication slot; one leader per slot.")
    publication: _Name = Field("roomwire", description="Name of the publication that pgoutput reads.")
    plugin: Literal["auto", "wal2json", "pgoutput"] = Field(
        "auto", description="Output plugin of the slot; auto takes wal2json where the server has it."
    )
    time_zone: Annotated[str, AfterValidator(_known_zone)] = Field(
        "Asia/Tokyo", description="The hotels' time zone: decides when a day begins."
    )
    agent: str = Field("roomwire", min_length=1, description="Channel name (agent) of our own bookings in the PMS.")
    writer_dsn: Annotated[SecretStr, AfterValidator(_readable)] | None = Field(
        None,
        description="The PMS's database, as the role roomwire_writer, for the API; without it the API is closed.",
    )
    secret_keys: Annotated[SecretStr, AfterValidator(_secret_keys)] | None = Field(
        None,
        description="What signs tokens and encrypts secrets: made by `roomwire key secret`; several, newest first,"
        " separated by commas. Without one the API is closed, and there are no endpoints.",
    )
    pms_user: int = Field(2, ge=1, description="The PMS's user (users.id) that our bookings are written as.")
    held_rooms: int = Field(100, ge=1, description="How many rooms a client of the API may hold at a time.")
    redis_url: Annotated[SecretStr, AfterValidator(_redis)] | None = Field(
        None, description="Where requests are counted, redis://…; without it each process counts by itself."
    )
    trusted_proxies: Annotated[str, AfterValidator(_networks)] = Field(
        "", description="Proxies that say who calls, in X-Forwarded-For: addresses and CIDR ranges, by commas."
    )
    allowed_networks: Annotated[str, AfterValidator(_networks)] = Field(
        "",
        description="Where messages may go though it is no public address, also by http: addresses and CIDR ranges,"
        " by commas, such as 127.0.0.1,10.1.0.0/16.",
    )
    audit_days: int = Field(365, ge=1, description="For how many days the audit log is kept.")
    feed_days: int = Field(7, ge=1, description="For how many whole days the event feed is kept.")
    patience_seconds: float = Field(
        600.0, gt=0, description="How long a lost database is waited for before the process gives up."
    )
    api_host: str = Field("127.0.0.1", description="Address that the HTTP server listens on.")
    api_port: int = Field(8080, ge=0, le=65535, description="Port of the HTTP server; 0 takes a free one.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is logged.")
    log_format: Literal["auto", "text", "json"] = Field(
        "auto", description="auto writes text to a terminal and JSON elsewhere."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings calls by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings calls by name
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from the command line, the environment, and files that the environment names."""
        return init_settings, env_settings, _Files(settings_cls)


class _Files(PydanticBaseSettingsSource):
    """Reads the files named by `ROOMWIRE_<SETTING>_FILE`; of those that cannot be read, `read` tells."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - its base's
        try:
            return _content(field_name), field_name, False
        except (OSError, UnicodeError):
            return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        values = {
            name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in values.items() if value is not None}


def _variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"


def _content(name: str) -> str | None:
    """A setting's file, without its trailing line break; None where none is named."""
    path = os.environ.get(f"{_variable(name)}_FILE")
    return Path(path).read_text(encoding="utf-8").rstrip("\n") if path else None


def _fault(error: ErrorDetails) -> str:
    if error["type"] == "missing":
        return f"it is not set. {Settings.model_fields[str(error['loc'][0])].description}"
    return error["msg"].removeprefix("Value error, ")


def _unreadable() -> Iterator[str]:
    for name in Settings.model_fields:
        try:
            _content(name)
        except OSError as error:
            yield f"{_variable(name)}_FILE: {error.filename}: {error.strerror}"
        except UnicodeError:
            yield f"{_variable(name)}_FILE: the file is not UTF-8 text"


def read(**given: Any) -> Settings:
    """Read all settings; `given` (from the command line) goes before the environment.

    Raises:
        SettingsError: names every setting that is missing or wrong, and what it may be.
    """
    faults = list(_unreadable())
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        faults += [f"{_variable(str(e['loc'][0]))}: {_fault(e)}" for e in error.errors()]
    if faults:
        raise SettingsError("\n  ".join(["The settings are not valid:", *faults]))
    return settings
