"""`/api/queries`: the queries that are offered by name, how one is run, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.refusals import assert_refused, problem
from tests.conftest import Service
from tests.events import append_minimal, head, new_event, post

CYPHER = Path(__file__).parents[2] / "cypher"


@pytest.fixture(scope="module")
def offered(service: Service) -> dict[str, Any]:
    answer = service.client.get("/api/queries")
    assert answer.status_code == 200
    return {query["name"]: query for query in answer.json()}


def test_every_query_of_the_cookbook_and_of_mirrors_is_listed_with_its_text(offered: dict[str, Any]) -> None:
    files = {
        path.relative_to(CYPHER).with_suffix("").as_posix(): path for kind in ("cookbook", "mirror") for path in CYPHER.glob(f"{kind}/*")
    }
    assert offered.keys() == files.keys()
    for name, path in files.items():
        assert path.read_text("utf-8").strip().endswith(offered[name]["text"])
        assert offered[name]["purpose"].startswith(path.read_text("utf-8").splitlines()[0].removeprefix("// "))
        assert offered[name]["language"] == "cypher"


def test_parameters_and_columns_are_described_as_the_header_says(offered: dict[str, Any]) -> None:
    query = offered["cookbook/before_a_penalty"]
    assert query["parameters"] == [
        {"name": "id", "type": "STRING", "description": "id of the penalty, or of any other event", "required": True},
        {
            "name": "minutes",
            "type": "INTEGER",
            "description": "how long before the penalty the events may be",
            "required": False,
            "default": 60,
            "minimum": 1,
            "maximum": 525600,
        },
        {
            "name": "limit",
            "type": "INTEGER",
            "description": "rows at most",
            "required": False,
            "default": 100,
            "minimum": 1,
            "maximum": 1000,
        },
    ]
    assert [(column["name"], column["type"]) for column in query["columns"]][-2:] == [("timestamp", "STRING"), ("led_there", "BOOLEAN")]
    [scope] = [one for one in offered["cookbook/shared_causes_of_failures"]["parameters"] if one["name"] == "scope"]
    assert scope["default"] is None
    assert not scope["required"]


@pytest.mark.parametrize("slash", ["/", "%2F"])
def test_a_query_is_run_by_its_name_with_its_parameters(service: Service, slash: str) -> None:
    proposal = post(service, scope="q.a", trace_id="q", agent_id="ann")
    post(service, "reward", {"value": 0.5}, proposal, scope="q.a", trace_id="q", agent_id="bob")
    answer = service.client.get(f"/api/queries/cookbook{slash}longest_chain", params={"trace_id": "q"})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["columns"] == ["step", "id", "type", "agent", "seconds"]
    assert [row[2:4] for row in found["rows"][:2]] == [["proposal", "ann"], ["reward", "bob"]]
    assert found["truncated"] is False
    one = service.client.get(f"/api/queries/cookbook{slash}longest_chain", params={"trace_id": "q", "limit": 1}).json()
    assert one["rows"] == found["rows"][:1]


def test_an_answer_holds_1000_rows_and_says_when_there_are_more(service: Service) -> None:
    append_minimal(service, [new_event("ready") for _ in range(1_200)])
    last = head(service)
    for limit, truncated in ((5_000, True), (1_000, False)):
        found = service.client.get("/api/queries/mirror/events", params={"after": last - 1_200, "last": last, "limit": limit}).json()
        assert (len(found["rows"]), found["truncated"]) == (1_000, truncated)


@pytest.mark.parametrize(
    ("name", "query", "field", "words"),
    [
        ("cookbook/longest_chain", "", "trace_id", ["required", "text"]),
        ("cookbook/rework_scopes", "limit=0", "limit", ["whole number", "1 to 1000"]),
        ("cookbook/rework_scopes", "limit=1001", "limit", ["1 to 1000"]),
        ("cookbook/rework_scopes", "limit=", "limit", ["1 to 1000"]),
        ("cookbook/rework_scopes", "limit=1.0", "limit", ["whole number"]),
        ("cookbook/rework_scopes", "limit=null", "limit", ["whole number"]),
        ("cookbook/rework_scopes", "limit=%D9%A3", "limit", ["whole number"]),
        ("cookbook/rework_scopes", "after=-1", "after", ["0 or more"]),
        ("cookbook/rework_scopes", "after=9223372036854775808", "after", ["whole number"]),
        ("cookbook/rework_scopes", "lmit=3", "lmit", ["after, until, limit"]),
        ("cookbook/rework_scopes", "limit=1&limit=2", "limit", ["more than once"]),
        ("mirror/head", "x=1", "x", ["none"]),
        ("mirror/timestamp", "position=0", "position", ["1 or more"]),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused_by_its_name_with_what_is_allowed(
    service: Service, name: str, query: str, field: str, words: list[str]
) -> None:
    answer = service.client.get(f"/api/queries/{name}?{query}")
    assert_refused(answer, field)
    assert all(word in answer.json()["message"] for word in words), answer.text


def test_every_bad_parameter_is_named_in_one_answer(service: Service) -> None:
    answer = service.client.get("/api/queries/cookbook/longest_chain?limit=x&more=1")
    assert {error["field"] for error in answer.json()["errors"]} == {"more", "trace_id", "limit"}


NOT_OFFERED = ("append", "read_log", "schema/01_stream_name")


@pytest.mark.parametrize("name", ["nothing", *NOT_OFFERED, "cookbook", "cookbook/", "%00", "cookbook/../append"])
def test_an_unknown_query_is_404_and_so_are_queries_for_the_service_itself(service: Service, name: str) -> None:
    answer = service.client.get(f"/api/queries/{name}")
    assert answer.status_code == 404
    problem(answer)


def test_in_memory_there_are_no_queries_and_the_error_says_why(memory_service: Service) -> None:
    assert memory_service.client.get("/api/queries").json() == []
    answer = memory_service.client.get("/api/queries/cookbook/rework_scopes")
    assert answer.status_code == 404
    assert "Neo4j" in answer.json()["message"]
    assert "memory" in answer.json()["message"]


def test_the_protocol_page_shows_the_fields_of_an_answer() -> None:
    page = (Path(__file__).parents[2] / "docs/protocol.md").read_text("utf-8").partition("\n## Queries")[2].partition("\n## ")[0]
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)\n```", page, re.DOTALL)]
    assert [set(one) for one in shown] == [{"columns", "rows", "truncated", "after", "until"}]
