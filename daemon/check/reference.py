"""`python -m daemon.check.reference`: writes docs/CHECKS.md, or the page named as argument."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from daemon.check.catalogue import ESSENTIAL, FURTHER, Check
from daemon.cli.check import CUT_OFF, UNREACHABLE

_HEAD = f"""\
# Checks

<!-- Written by `python -m daemon.check.reference`; change daemon/check/ instead. -->

`roomwire check` looks at everything that Roomwire needs, leaves nothing behind, and says what to do where something
is missing. `roomwire setup` ends with it. `--json` prints
`{{"level": …, "checks": [{{"check": …, "level": …, "says": …, "remedy": …}}]}}`.

| exit code | level | |
|---|---|---|
| 0 | ok | all is well |
| 1 | warning | it works, and may not for ever; or it heals by itself |
| 2 | wrong | it does not work, or the settings are not valid |

The worst of all checks decides. Where the server cannot be asked there is one check, `connection`:

- wrong: {UNREACHABLE}
- wrong, where it broke off in between: {CUT_OFF}
"""
_ESSENTIAL = """
## What `roomwire run` refuses to lead without

Where one of these is wrong, it could not work or would lose changes: it says the same sentences and ends with exit
code 1, each time it would begin to follow the server's log.
"""
_FURTHER = """
## What it warns of or waits for

A plugin that does not work here, and a faulty publication where the plugin is pgoutput, end it too: they would lose
changes. For a free slot or WAL sender it waits.
"""


def render() -> str:
    """The whole page."""
    essential = "".join(text for check in ESSENTIAL for text in _section(check))
    further = "".join(text for check in FURTHER for text in _section(check))
    return "".join([_HEAD, _ESSENTIAL, essential, _FURTHER, further])


def _section(check: Check[Any]) -> Iterator[str]:
    yield f"\n### {check.name}\n\n{check.judge.__doc__}\n\n"
    yield from (f"- wrong: {remedy}\n" for remedy in check.faults)
    yield from (f"- warning: {remedy}\n" for remedy in check.warns)


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else "docs/CHECKS.md").write_text(render(), encoding="utf-8")
