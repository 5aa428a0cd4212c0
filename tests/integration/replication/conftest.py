"""Each test that asks for a `plugin` runs once for every plugin of every kind of server."""

from __future__ import annotations

import pytest

from tests.support.servers import KINDS

_PAIRS = [(kind.name, plugin) for kind in KINDS.values() for plugin in kind.plugins]


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Pair servers with the plugins they have, before `server` is given its own parameters."""
    if "plugin" in metafunc.fixturenames:
        pairs = pytest.mark.parametrize(("server", "plugin"), _PAIRS, indirect=["server"])
        metafunc.definition.add_marker(pairs)
