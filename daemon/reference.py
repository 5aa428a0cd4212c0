"""`python -m daemon.reference`: writes docs/SETTINGS.md, or the page named as argument."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from typer.core import TyperOption
from typer.main import get_command

from daemon.cli.commands import app
from daemon.settings import PREFIX, Settings

_HEAD = f"""\
# Settings

<!-- Written by `python -m daemon.reference`; change daemon/settings.py instead. -->

Roomwire is set by environment variables. Each may also be given as a file that holds the value, named by the same
variable with `_FILE` at its end (`{PREFIX}DSN_FILE=/run/secrets/dsn`), as containers have it for secrets; the
variable itself goes first. All that is wrong is said at once, when a command starts.

| variable | default | |
|---|---|---|
"""
_COMMANDS = """
## For one command

These may also be given as the command's option. They have no `_FILE`.

| variable | command | |
|---|---|---|
"""


def render() -> str:
    """The whole page."""
    settings = [
        f"| `{PREFIX}{name.upper()}` | {_default(field)} | {_text(field)} |\n"
        for name, field in Settings.model_fields.items()
    ]
    options = [
        f"| `{option.envvar}` | `{command} {option.opts[0]}` | {option.help} |\n"
        for command, option in _options("roomwire", get_command(app))
    ]
    return "".join([_HEAD, *settings, _COMMANDS, *options])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return "" if field.default in {None, ""} else f"`{field.default}`"


def _text(field: FieldInfo) -> str:
    words = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    return f"{field.description} One of `{'`, `'.join(words)}`." if words else str(field.description)


def _options(name: str, command: Any) -> Iterator[tuple[str, TyperOption]]:
    """The options that have a variable, of a command and of those below it."""
    for parameter in command.params:
        if isinstance(parameter, TyperOption) and parameter.envvar:
            yield name, parameter
    for sub, inner in getattr(command, "commands", {}).items():
        yield from _options(f"{name} {sub}", inner)


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else "docs/SETTINGS.md").write_text(render(), encoding="utf-8")
