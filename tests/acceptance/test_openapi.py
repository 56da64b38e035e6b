"""The OpenAPI document is complete, and the service answers what the document says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from contract.renew import FILE, text
from tests.conftest import Service
from tests.events import post

JSON = "application/json"
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
]
# schemathesis does not know NDJSON. It imports this module, which an environment variable names.
NDJSON_FOR_SCHEMATHESIS = """
import json, schemathesis

@schemathesis.serializer("application/x-ndjson")
def ndjson(context, value):
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return "\\n".join(map(json.dumps, value if isinstance(value, list) else [value])).encode()
"""


@pytest.fixture(scope="module")
def document(service: Service) -> dict[str, Any]:
    answer = service.client.get("/schema/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def test_the_committed_contract_is_what_the_service_gives(document: dict[str, Any]) -> None:
    assert text(document) == FILE.read_text("utf-8"), "`make contract` renews contract/openapi.json"


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post", "put", "patch", "delete"):
                yield f"{method.upper()} {path}", operation


def resolve(document: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in value:
        target: Any = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        value = target
    return value


def examples(document: dict[str, Any], media: dict[str, Any]) -> list[Any]:
    """The examples that a reader sees: those of the media type, and those of its schema as a whole."""
    schema = resolve(document, media.get("schema", {}))
    found = [example["value"] for example in media.get("examples", {}).values()]
    found += [media["example"]] if "example" in media else []
    found += [schema["example"]] if "example" in schema else []
    return found + list(schema.get("examples", []))


def assert_none(problems: list[str]) -> None:
    assert not problems, "\n".join(problems)


def test_the_document_has_every_route_of_the_protocol_page_and_the_page_every_route_of_the_document(document: dict[str, Any]) -> None:
    page = (Path(__file__).parents[2] / "docs/protocol.md").read_text("utf-8")
    documented = {f"{method} {nameless(path)}" for method, path in re.findall(r"`(GET|POST) (/(?:api/|health/|metrics)[^` ?]*)", page)}
    table = page.partition("## Lineage")[2].partition("\n\n| Parameter")[0]
    documented = {path for path in documented if not path.endswith("/")} | {
        f"GET /api/events/{{}}/{end}" for end in re.findall(r"\| `(\w+)` \|", table)
    }
    assert {nameless(name) for name, _ in operations(document)} == documented


def nameless(path: str) -> str:
    """A path without the names of its parameters."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def test_every_operation_has_an_id_of_its_own_a_summary_a_description_and_a_tag(document: dict[str, Any]) -> None:
    required = ("operationId", "summary", "description", "tags")
    assert_none([f"{name}: no {field}" for name, operation in operations(document) for field in required if not operation.get(field)])
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))


def test_every_operation_has_an_error_answer_and_every_error_answer_an_example_in_the_documented_shape(document: dict[str, Any]) -> None:
    problems: list[str] = []
    for name, operation in operations(document):
        errors = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        if not errors:
            problems.append(f"{name}: no error answer")
        for status, answer in errors.items():
            shown = examples(document, answer.get("content", {}).get(JSON, {}))
            if not shown:
                problems.append(f"{name}: {status} has no example")
            problems += [f"{name}: {status} shows {example}" for example in shown if "message" not in example]
    assert_none(problems)


def test_every_request_body_and_every_success_has_an_example(document: dict[str, Any]) -> None:
    problems: list[str] = []
    for name, operation in operations(document):
        for kind, media in operation.get("requestBody", {}).get("content", {}).items():
            if not examples(document, media):
                problems.append(f"{name}: no example of a request in {kind}")
        for status, answer in operation["responses"].items():
            for kind, media in answer.get("content", {}).items():
                if status < "400" and not examples(document, media):
                    problems.append(f"{name}: {status} has no example in {kind}")
    assert_none(problems)


def test_every_example_is_valid_by_its_own_schema(document: dict[str, Any]) -> None:
    problems: list[str] = []
    for name, operation in operations(document):
        bodies = [("request", operation["requestBody"])] if "requestBody" in operation else []
        for where, holder in [*bodies, *operation["responses"].items()]:
            for kind, media in holder.get("content", {}).items():
                if kind != JSON:
                    continue
                schema = {**media.get("schema", {}), "components": document["components"]}
                validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
                for example in examples(document, media):
                    problems += [f"{name}: {where}: {error.message[:200]}" for error in validator.iter_errors(example)]
    assert_none(problems)


def test_every_parameter_is_described(document: dict[str, Any]) -> None:
    problems: list[str] = []
    for name, operation in operations(document):
        for parameter in operation.get("parameters", []):
            found = resolve(document, parameter)
            if not (found.get("description") or found.get("schema", {}).get("description")):
                problems.append(f"{name}: {found['in']} {found['name']}")
    assert_none(problems)


def test_a_batch_is_documented_as_json_and_as_ndjson(document: dict[str, Any]) -> None:
    assert set(document["paths"]["/api/events/batch"]["post"]["requestBody"]["content"]) == {JSON, "application/x-ndjson"}


@pytest.mark.parametrize("path", ["/api/events", "/api/events/batch", "/api/nodes"])
def test_a_retry_answered_200_is_documented(document: dict[str, Any], path: str) -> None:
    assert {"200", "201"} <= set(document["paths"][path]["post"]["responses"])


def test_examples_of_requests_are_accepted_by_the_service(service: Service, document: dict[str, Any]) -> None:
    tried = 0
    for name, operation in operations(document):
        for kind, media in operation.get("requestBody", {}).get("content", {}).items():
            for example in examples(document, media):
                if kind != JSON or "{" in name:
                    continue
                answer = service.client.post(name.removeprefix("POST "), json=example)
                unknown_parent = "parent_ids" in json.dumps(example) and "no event has the id" in answer.text
                assert answer.status_code in (200, 201) or unknown_parent, f"{name}: {answer.text}"
                tried += 1
    assert tried >= 3


@pytest.mark.parametrize("path", ["/schema", "/schema/swagger", "/schema/openapi.json"])
def test_the_document_and_its_pages_are_served(service: Service, path: str) -> None:
    assert service.client.get(path).status_code == 200


def test_what_schemathesis_sends_is_answered_as_documented(service: Service, tmp_path: Path) -> None:
    """No 500, and no status, content type or body that the document does not name. What it forbids is refused. Every run sends the same."""
    post(service, scope="a", trace_id="t")
    (tmp_path / "ndjson_for_schemathesis.py").write_text(NDJSON_FOR_SCHEMATHESIS)
    environment = {**os.environ, "COLUMNS": "140", "PYTHONPATH": str(tmp_path), "SCHEMATHESIS_HOOKS": "ndjson_for_schemathesis"}
    found = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", f"{service.url}/schema/openapi.json",
            "--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing", "--max-examples", "15",
            "--workers", "1",  # parsing in two threads trips over CPython issue 106905
            "--generation-deterministic",
            "--exclude-path", "/api/stream",  # its answer has no end; test_event_stream.py tests it
            "--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure", "--request-timeout", "30", "--no-color",
        ],
        capture_output=True, text=True, cwd=tmp_path, timeout=200, env=environment, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout[-20_000:] + found.stderr[-2_000:]
    assert "Traceback" not in service.log.read_text()
