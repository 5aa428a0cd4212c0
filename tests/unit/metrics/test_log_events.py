"""Every event that the source logs is documented, with its level and fields."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "LOGS.md"
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}
EVERY_LINE = {"event", "level", "timestamp"}
OF_LIBRARIES = {"library": ({"warning", "error"}, {"library", "message", "exception"})}

Events = dict[str, tuple[set[str], set[str]]]


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """The level and call of every line that a module logs."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        logger = node.func.value
        if isinstance(logger, ast.Name) and logger.id in {"log", "_log"} and node.func.attr in LEVELS:
            yield node.func.attr, node


def logged() -> Events:
    found: Events = defaultdict(lambda: (set(), set()))
    for package in ("daemon", "api", "outbox", "sql"):
        for path in (ROOT / package).rglob("*.py"):
            for level, call in calls(path):
                name = call.args[0]
                event = name.value if isinstance(name, ast.Constant) else None
                assert isinstance(event, str), f"{path}:{call.lineno}: an event's name stands in the source"
                found[event][0].add(level)
                found[event][1].update(word.arg for word in call.keywords if word.arg)
    return found


def documented() -> Events:
    rows = re.findall(r"^\| `(\w+)` \| ([\w, ]+) \|([^|]*)\|[^|]+\|[^|]*\|$", PAGE.read_text(), re.MULTILINE)
    return {name: (set(levels.split(", ")), set(re.findall(r"`(\w+)`", fields))) for name, levels, fields in rows}


def test_the_page_lists_what_is_logged() -> None:
    assert documented() == logged() | OF_LIBRARIES


def test_names_are_alike() -> None:
    for name, (_, fields) in logged().items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
        assert not fields & EVERY_LINE, f"{name} would overwrite what every line has"
