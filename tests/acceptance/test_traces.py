"""Traces over HTTP: the list of the latest, the summary of one, and its graph, which networkx reads."""

from __future__ import annotations

from typing import cast
from urllib.parse import quote

import networkx as nx
import pytest
from semp.api.routes.traces import MAX_LINKS

from tests.answers import items, pages
from tests.conftest import Service
from tests.events import append, append_minimal, new_event, new_id, post, unique


class Work:
    """A trace of stored events: proposal p, its children a and b, and reward r for both. The parent of p is in another trace."""

    def __init__(self, service: Service) -> None:
        self.trace, self.other = unique("work ?a&b"), unique("other")
        self.outside, self.p, self.a, self.b, self.r = (new_id() for _ in range(5))
        append(
            service,
            [
                new_event("ready", id=self.outside, trace_id=self.other),
                new_event("proposal", None, self.outside, id=self.p, agent_id="ann", trace_id=self.trace),
                new_event("ready", None, self.p, id=self.a, agent_id="bob", trace_id=self.trace),
                new_event("ready", None, self.p, id=self.b, agent_id="cid", trace_id=self.trace),
                new_event("reward", {"value": 0.5}, self.a, self.b, id=self.r, agent_id="ann", trace_id=self.trace),
            ],
        )


@pytest.fixture(scope="module")
def work(service: Service) -> Work:
    return Work(service)


def path_of(work: Work, rest: str = "") -> str:
    return "/api/traces/" + quote(work.trace, safe="") + rest


def test_the_summary_of_a_trace(service: Service, work: Work) -> None:
    summary = service.client.get(path_of(work)).json()
    assert (summary["trace_id"], summary["events"], summary["truncated"]) == (work.trace, 4, False)
    assert summary["roots"] == {"count": 1, "ids": [work.p]}
    assert summary["leaves"] == {"count": 1, "ids": [work.r]}
    assert summary["rewards"] == {"count": 1, "total": 0.5}
    assert [agent["agent_id"] for agent in summary["agents"]] == ["ann", "bob", "cid"]
    assert [step["id"] for step in summary["critical_path"]["steps"]] == [work.p, work.b, work.r]


def test_the_graph_is_read_by_networkx(service: Service, work: Work) -> None:
    for limit in (1, 2, 1000):
        whole: nx.DiGraph[str] = nx.DiGraph()
        for part in pages(service, path_of(work, "/graph"), limit=limit):
            whole = nx.compose(whole, cast("nx.DiGraph[str]", nx.node_link_graph(part, edges="edges")))
        assert set(whole.edges) == {(work.p, work.outside), (work.a, work.p), (work.b, work.p), (work.r, work.a), (work.r, work.b)}
        assert whole.nodes[work.r]["type"] == "reward"
        assert whole.nodes[work.outside] == {}


def test_traces_are_listed_latest_first_and_each_one_once(service: Service, work: Work) -> None:
    post(service, "ready", None, work.outside, trace_id=work.other)
    newest = service.client.get("/api/traces", params={"limit": 2}).json()
    assert [(one["trace_id"], one["events"]) for one in newest] == [(work.other, 2), (work.trace, 4)]
    assert newest[0]["started"] <= newest[0]["ended"]
    whole = items(service, "/api/traces", limit=1)
    assert whole[:2] == newest
    assert len({one["trace_id"] for one in whole}) == len(whole)


def test_an_unknown_trace_is_not_found(service: Service) -> None:
    for rest in ("", "/graph"):
        answer = service.client.get(f"/api/traces/{unique('none')}{rest}")
        assert answer.status_code == 404
    assert service.client.get("/api/traces", params={"limit": 0}).status_code == 400


@pytest.mark.parametrize("name", ["a/b", "a/graph", "/", "a//b/", "a%2Fb", "ä/graph/graph"])
def test_a_trace_id_may_be_any_text_with_slashes_too(service: Service, name: str) -> None:
    trace = f"{name}{new_id()}{name}"
    first = post(service, "ready", trace_id=trace)
    second = post(service, "ready", None, first, trace_id=trace)
    path = f"/api/traces/{quote(trace, safe='')}"
    assert service.client.get(path).json()["trace_id"] == trace
    graph = pages(service, f"{path}/graph", limit=1)
    assert [node["id"] for page in graph for node in page["nodes"]] == [first["id"], second["id"]]
    assert {page["graph"]["trace_id"] for page in graph} == {trace}
    if "%" not in name:
        assert service.client.get(f"/api/traces/{quote(trace)}/graph").json()["graph"]["trace_id"] == trace
    missing = service.client.get(f"{path}x")
    assert missing.status_code == 404
    assert trace + "x" in missing.json()["message"]


def test_a_page_of_a_graph_ends_when_it_has_enough_edges(service: Service) -> None:
    trace, causes = unique("dense"), [new_id() for _ in range(64)]
    append_minimal(service, [new_event("ready", id=cause) for cause in causes])
    count = MAX_LINKS // len(causes) + 10
    append_minimal(service, [new_event("ready", None, *causes, trace_id=trace, scope="dense") for _ in range(count)])
    first, second = pages(service, f"/api/traces/{trace}/graph", limit=10_000)
    assert (len(first["nodes"]), len(second["nodes"])) == (MAX_LINKS // len(causes), 10)
    assert (len(first["edges"]), len(second["edges"])) == (MAX_LINKS // len(causes) * 64, 640)
    assert (first["graph"]["truncated"], second["graph"]["truncated"]) == (True, False)
