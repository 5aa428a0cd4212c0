"""What docs/RECEIVING.md says of the Next.js example."""

import json
import re
from pathlib import Path

from outbox.messages.examples import EXAMPLES
from tests.support.nextjs.build import EXAMPLE

SAID = (Path(__file__).parents[3] / "docs" / "RECEIVING.md").read_text(encoding="utf-8")
CONTRACT = SAID.replace("`.updated`, `.cancelled`", "`booking.updated`, `booking.cancelled`")


def test_every_file_of_the_example_is_named_and_there() -> None:
    files = {str(path.relative_to(EXAMPLE)) for path in EXAMPLE.rglob("*") if path.suffix in {".ts", ".sql"}}
    files = {file for file in files if not file.startswith("node_modules") and not file.endswith(".d.ts")}
    assert set(re.findall(r"^\| `(\w+/[\w/.]+)` \|", SAID, re.MULTILINE)) == files


def test_every_setting_of_the_example_is_named() -> None:
    route = (EXAMPLE / "app/api/roomwire/route.ts").read_text(encoding="utf-8")
    for name in re.findall(r'needed\("(\w+)"\)', route):
        assert f"`{name}`" in SAID


def test_every_message_is_spoken_of() -> None:
    for kind in EXAMPLES:
        assert f"`{kind}`" in CONTRACT or kind.endswith(".deleted")
    assert "any `.deleted`" in SAID


def test_the_compiler_is_pinned() -> None:
    package = json.loads((EXAMPLE / "package.json").read_text())
    (version,) = package["devDependencies"].values()
    assert re.fullmatch(r"[\d.]+", version)
