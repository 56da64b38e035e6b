"""Traces over HTTP: the latest, one at a glance, one as a graph that networkx reads."""

from __future__ import annotations

import uuid
from typing import Any, cast
from urllib.parse import quote

import networkx as nx
import pytest

from tests.acceptance.test_lineage import append, new_event, new_id
from tests.conftest import Service


def all_pages(service: Service, path: str, **query: Any) -> list[Any]:
    answer = service.client.get(path, params=query)
    found = [answer.json()]
    while "next" in answer.links:
        answer = service.client.get(answer.links["next"]["url"])
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
    return found


class Work:
    """A proposal, two answers, a reward for what came of both; a cause in another trace."""

    def __init__(self, service: Service) -> None:
        self.trace, self.other = f"work {uuid.uuid4()}?a&b", f"other-{uuid.uuid4()}"
        self.outside, self.p, self.a, self.b, self.r = (new_id(number) for number in range(5))
        append(
            service,
            [
                new_event(self.outside, [], trace_id=self.other),
                new_event(self.p, [self.outside], type="proposal", agent_id="ann", trace_id=self.trace, payload={"action": "x"}),
                new_event(self.a, [self.p], agent_id="bob", trace_id=self.trace),
                new_event(self.b, [self.p], agent_id="cid", trace_id=self.trace),
                new_event(self.r, [self.a, self.b], type="reward", agent_id="ann", trace_id=self.trace, payload={"value": 0.5}),
            ],
        )


@pytest.fixture(scope="module")
def work(service: Service) -> Work:
    return Work(service)


def path_of(work: Work, rest: str = "") -> str:
    return "/api/traces/" + quote(work.trace, safe="") + rest


def test_a_trace_at_a_glance(service: Service, work: Work) -> None:
    found = service.client.get(path_of(work)).json()
    assert (found["trace_id"], found["events"], found["truncated"]) == (work.trace, 4, False)
    assert found["roots"] == {"count": 1, "ids": [work.p]}
    assert found["leaves"] == {"count": 1, "ids": [work.r]}
    assert found["rewards"] == {"count": 1, "total": 0.5}
    assert [agent["agent_id"] for agent in found["agents"]] == ["ann", "bob", "cid"]
    assert [step["id"] for step in found["critical_path"]["steps"]] == [work.p, work.b, work.r]


def test_the_graph_is_read_by_networkx(service: Service, work: Work) -> None:
    for limit in (1, 2, 1000):
        whole: nx.DiGraph[str] = nx.DiGraph()
        for part in all_pages(service, path_of(work, "/graph"), limit=limit):
            whole = nx.compose(whole, cast("nx.DiGraph[str]", nx.node_link_graph(part, edges="edges")))
        assert set(whole.edges) == {(work.p, work.outside), (work.a, work.p), (work.b, work.p), (work.r, work.a), (work.r, work.b)}
        assert whole.nodes[work.r]["type"] == "reward"
        assert whole.nodes[work.outside] == {}


def test_traces_are_listed_latest_first_and_every_one_once(service: Service, work: Work) -> None:
    again = new_id(9)
    append(service, [new_event(again, [work.outside], trace_id=work.other)])
    newest = service.client.get("/api/traces", params={"limit": 2}).json()
    assert [(one["trace_id"], one["events"]) for one in newest] == [(work.other, 2), (work.trace, 4)]
    assert newest[0]["started"] <= newest[0]["ended"]
    whole = [one for page in all_pages(service, "/api/traces", limit=1) for one in page]
    assert whole[:2] == newest
    assert len({one["trace_id"] for one in whole}) == len(whole)


def test_an_unknown_trace_is_not_found(service: Service) -> None:
    for rest in ("", "/graph"):
        answer = service.client.get(f"/api/traces/none-{uuid.uuid4()}{rest}")
        assert answer.status_code == 404
    assert service.client.get("/api/traces", params={"limit": 0}).status_code == 400


@pytest.mark.parametrize("name", ["a/b", "a/graph", "/", "a//b/", "a%2Fb", "ä/graph/graph"])
def test_a_trace_id_is_any_text_slashes_included(service: Service, name: str) -> None:
    trace = f"{name}{uuid.uuid4()}{name}"
    first, second = new_id(1), new_id(2)
    append(service, [new_event(first, [], trace_id=trace), new_event(second, [first], trace_id=trace)])
    path = f"/api/traces/{quote(trace, safe='')}"
    assert service.client.get(path).json()["trace_id"] == trace
    pages = all_pages(service, f"{path}/graph", limit=1)
    assert [node["id"] for page in pages for node in page["nodes"]] == [first, second]
    assert {page["graph"]["trace_id"] for page in pages} == {trace}
    if "%" not in name:
        assert service.client.get(f"/api/traces/{quote(trace)}/graph").json()["graph"]["trace_id"] == trace
    missing = service.client.get(f"{path}x")
    assert missing.status_code == 404
    assert trace + "x" in missing.json()["message"]
