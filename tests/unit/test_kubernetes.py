"""The manifests speak of commands, settings, ports and probes that there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are not among what is installed
from typer.main import get_command

from daemon.cli.commands import app
from daemon.settings import Settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"


@pytest.fixture(scope="module")
def manifests() -> dict[str, Any]:
    """What is made, by kind."""
    return {one["kind"]: one for one in yaml.safe_load_all((FOLDER / "roomwire.yaml").read_text())}


@pytest.fixture(scope="module")
def pod(manifests: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = manifests["Deployment"]["spec"]["template"]["spec"]
    return found


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod["initContainers"], *pod["containers"]]


def test_commands_and_settings_are_roomwires(pod: dict[str, Any]) -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]  # a group has them
    settings = {f"ROOMWIRE_{name.upper()}" for name in Settings.model_fields}
    for container in containers(pod):
        assert container["args"][0] in commands
        assert {one["name"].removesuffix("_FILE") for one in container["env"]} <= settings
    required = {f"ROOMWIRE_{name.upper()}" for name, field in Settings.model_fields.items() if field.is_required()}
    assert required <= {one["name"].removesuffix("_FILE") for one in pod["containers"][0]["env"]}


def test_values_are_valid(pod: dict[str, Any]) -> None:
    env = {one["name"]: one["value"] for one in pod["containers"][0]["env"]}
    plain = {name: value for name, value in env.items() if not name.endswith("_FILE")}
    Settings(dsn="dbname=pms", **{name.removeprefix("ROOMWIRE_").lower(): value for name, value in plain.items()})
    assert "ROOMWIRE_TRUSTED_PROXIES" not in env, "nobody is believed before it is known where the ingress is"
    (mount,) = pod["containers"][0]["volumeMounts"]
    for name in set(env) - set(plain):
        assert env[name].startswith(f"{mount['mountPath']}/"), name
        key = env[name].rpartition("/")[2]
        assert f"--from-literal={key}=" in (FOLDER / "roomwire.yaml").read_text()


def test_probes_and_ports_meet(manifests: dict[str, Any], pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    (port,) = container["ports"]
    env = {one["name"]: one["value"] for one in container["env"]}
    assert str(port["containerPort"]) == env["ROOMWIRE_API_PORT"]
    served = set(re.findall(r"^`GET (/\w+)`", (ROOT / "docs" / "METRICS.md").read_text(), re.MULTILINE))
    probes = [container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")]
    assert [probe["path"] for probe in probes] == ["/livez", "/livez", "/readyz"]
    assert {probe["path"] for probe in probes} <= served
    assert {probe["port"] for probe in probes} == {port["name"]}
    notes = manifests["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert (notes["prometheus.io/port"], notes["prometheus.io/path"]) == (env["ROOMWIRE_API_PORT"], "/metrics")
    assert [one["targetPort"] for one in manifests["Service"]["spec"]["ports"]] == [port["name"]]


def test_one_takes_over_and_all_have_the_same_version(manifests: dict[str, Any], pod: dict[str, Any]) -> None:
    deployment = manifests["Deployment"]["spec"]
    assert deployment["replicas"] >= 2
    assert deployment["strategy"]["type"] == "Recreate", "two versions do not work side by side"
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == labels == manifests["Service"]["spec"]["selector"]
    assert manifests["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert {one["image"] for one in containers(pod)} == {f"roomwire:{version[1]}"}


def test_the_image_has_what_the_package_is_made_of() -> None:
    lines = (FOLDER / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY (.+) \S+$", lines, re.MULTILINE))
    files = {name for line in copied for name in line.split()}
    assert all((ROOT / name).exists() for name in files)
    packages = re.search(r"^packages = \[(.+)\]$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert packages is not None
    assert set(re.findall(r'"(\w+)"', packages[1])) <= files
