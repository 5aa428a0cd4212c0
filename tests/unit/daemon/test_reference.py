"""The page of settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.reference import render
from daemon.settings import Settings

PAGE = Path(__file__).parents[3] / "docs" / "SETTINGS.md"


def test_the_page_is_what_the_model_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run `python -m daemon.reference`"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_stands_on_it_with_default_and_description(name: str) -> None:
    field = Settings.model_fields[name]
    (line,) = [text for text in render().splitlines() if text.startswith(f"| `ROOMWIRE_{name.upper()}` |")]
    assert field.description
    assert field.description in line
    shown = "" if field.default in {None, ""} else f"`{field.default}`"
    assert line.split(" | ")[1].strip() == ("required" if field.is_required() else shown)


@pytest.mark.parametrize("variable", ["ROOMWIRE_OWNER_DSN", "ROOMWIRE_ENDPOINT_SECRET"])
def test_so_do_variables_of_single_commands(variable: str) -> None:
    assert f"| `{variable}` | `roomwire " in render()
