"""What is installed is pinned, by hash, and from no registry in particular."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUN = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["demo"]]
BUILD = PROJECT["dependency-groups"]["build"]
LOCKS = {
    "requirements.lock": [*RUN, *BUILD],
    "requirements-dev.lock": [*RUN, *BUILD, *PROJECT["dependency-groups"]["dev"]],
}


def pins(lock: str) -> dict[str, str]:
    """Return the pinned line of each package of a lock file, its hashes included."""
    logical_lines = (ROOT / lock).read_text().replace("\\\n", " ").splitlines()
    found = (re.match(r"([a-z0-9.-]+)==", line) for line in logical_lines)
    return {match[1]: match.string for match in found if match}


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_the_project_asks_for_is_pinned_by_hash(lock: str) -> None:
    pinned = pins(lock)
    wanted = {re.split(r"[^\w.-]", need)[0].lower().replace("_", "-") for need in LOCKS[lock]}
    assert wanted <= pinned.keys(), "run: make lock"
    assert all("--hash=sha256:" in line for line in pinned.values())


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_names_no_registry_and_no_path(lock: str) -> None:
    assert not re.search(r"://|^\s*-[-if]|^\s*/", (ROOT / lock).read_text().replace("    --hash", ""), re.M)


def test_what_runs_and_what_is_tested_have_the_same_versions() -> None:
    tested = pins("requirements-dev.lock")
    assert {name: tested[name].split()[0] for name in pins("requirements.lock")} == {
        name: line.split()[0] for name, line in pins("requirements.lock").items()
    }
