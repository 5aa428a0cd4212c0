"""Compiles the example once for all test processes."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy import __file__ as deploy

EXAMPLE = Path(deploy).parent / "nextjs"
_HERE = Path(__file__).parent
_INSTALL = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"]
# Next.js finds modules by itself. Node finds files that are named without their ending only as CommonJS.
_FOR_NODE = ["--module", "commonjs", "--moduleResolution", "node10", "--outDir", "draft"]
_COMPILE = ["node", "node_modules/typescript/bin/tsc", *_FOR_NODE]


class UnavailableError(Exception):
    """This machine has not what compiling takes; the message says what."""


def compiled(folder: Path) -> Path:
    """Type-check and compile the example below `folder`, which test processes share; returns where the result is.

    Raises:
        UnavailableError: there is no Node, or the compiler cannot be installed.
        AssertionError: the example does not compile.
    """
    if not (shutil.which("node") and shutil.which("npm")):
        raise UnavailableError("node and npm are not installed")
    copy = folder / "nextjs"
    with (folder / "nextjs.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        if reason := lock.read():
            raise UnavailableError(reason)
        if not (copy / "out").exists():
            try:
                _compile(copy)
            except UnavailableError as missing:
                lock.write(str(missing))  # for the other processes, which would wait as long for the same
                raise
    return copy / "out"


def verified(out: Path, cases: Sequence[dict[str, Any]]) -> list[Any]:
    """What the example's `verify` says of requests: their webhook-id, or {"refused": why}."""
    run = subprocess.run(
        ["node", "--no-warnings", "verify.cjs"],
        cwd=out,
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found: list[Any] = json.loads(run.stdout)
    return found


def _compile(copy: Path) -> None:
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("node_modules"))
    _install(copy)
    done = subprocess.run(_COMPILE, cwd=copy, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for script in _HERE.glob("*.cjs"):
        shutil.copy(script, copy / "draft")
    (copy / "draft").rename(copy / "out")


def _install(copy: Path) -> None:
    try:
        done = subprocess.run(_INSTALL, cwd=copy, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        raise UnavailableError("npm did not install the compiler within two minutes") from None
    if done.returncode:
        raise UnavailableError(f"npm cannot install the compiler: {done.stderr.strip()[-300:]}")
