"""The container files agree with the program in names, versions and variables. They are only read; no container engine is needed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from semp.storage.neo4j.embedded import DEFAULT_VERSION

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text("utf-8")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SETTINGS = (ROOT / "app/semp/settings.py").read_text("utf-8")


def test_compose_runs_the_service_and_its_database_and_a_profile_adds_three_replicas_redis_and_a_proxy() -> None:
    assert {name for name, service in SERVICES.items() if "profiles" not in service} == {"neo4j", "semp"}
    assert {name for name, service in SERVICES.items() if service.get("profiles") == ["replicas"]} == {"replica", "redis", "proxy"}
    assert SERVICES["replica"]["deploy"]["replicas"] == 3
    assert "replica:5000" in SERVICES["proxy"]["command"]
    assert SERVICES["replica"]["environment"]["SEMP_REDIS"].startswith("redis://redis:6379")


def test_neo4j_has_the_tested_version() -> None:
    assert SERVICES["neo4j"]["image"] == f"neo4j:{DEFAULT_VERSION}-community"


@pytest.mark.parametrize("name", ["neo4j", "semp", "redis"])
def test_services_that_others_wait_for_have_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    waiting = [service["depends_on"] for service in SERVICES.values() if isinstance(service.get("depends_on"), dict)]
    assert all(how == {"condition": "service_healthy"} for found in waiting for how in found.values())


def test_data_is_on_volumes_and_ports_are_on_loopback() -> None:
    mounted = {mount.partition(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])}
    assert mounted == set(COMPOSE["volumes"])
    assert "neo4j-data:/data" in SERVICES["neo4j"]["volumes"]
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_service_reads_every_variable_and_the_example_lists_every_choice() -> None:
    given = {name for service in SERVICES.values() for name in service.get("environment", {}) if name.startswith("SEMP_")}
    given |= set(re.findall(r"\bSEMP_[A-Z_0-9]+(?==)", DOCKERFILE))
    assert given
    assert {name for name in given if f'"{name}"' not in SETTINGS} == set()
    choices = set(re.findall(r"(?<!\$)\$\{([A-Z_0-9]+)[:}]", (ROOT / "docker-compose.yml").read_text("utf-8")))
    assert choices == set(re.findall(r"^#?([A-Z_0-9]+)=", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE))


def test_the_image_runs_as_an_unprivileged_user() -> None:
    [user] = re.findall(r"^USER (\d+):\d+$", DOCKERFILE, re.MULTILINE)
    assert int(user) >= 1000
    assert DOCKERFILE.index("\nUSER ") < DOCKERFILE.index("\nENTRYPOINT ")
    assert "HEALTHCHECK" in DOCKERFILE
