"""Answers of a running service: the pages of a list, and its metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.conftest import Service


def get(service: Service, path: str, status: int = 200, **query: Any) -> Any:
    """The JSON answered below `/api/`; the status must be this one."""
    answer = service.client.get(f"/api/{path}", params=query)
    assert answer.status_code == status, answer.text
    return answer.json()


def each_page(service: Service, path: str, **query: Any) -> Iterator[Any]:
    """The pages of a list, from the first to the one without a link to a next page. Each must be 200.

    A page is requested only when the loop comes to it, so that events can be appended in between.
    """
    answer = service.client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    yield answer.json()
    while "next" in answer.links:
        answer = service.client.get(answer.links["next"]["url"])
        assert answer.status_code == 200, answer.text
        yield answer.json()


def pages(service: Service, path: str, **query: Any) -> list[Any]:
    """All pages of a list."""
    return list(each_page(service, path, **query))


def items(service: Service, path: str, **query: Any) -> list[Any]:
    """The items of all pages, where a page is an array."""
    return [item for page in pages(service, path, **query) for item in page]


def nodes(service: Service, path: str, **query: Any) -> list[Any]:
    """The nodes of all pages, where a page is an object with `nodes`, as in lineage."""
    return [node for page in pages(service, path, **query) for node in page["nodes"]]


def metrics(service: Service) -> dict[str, float]:
    """The value of each metric, by its name and labels."""
    answer = service.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    lines = [line for line in answer.text.splitlines() if line and not line.startswith("#")]
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}
