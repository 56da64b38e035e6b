"""The examples of the OpenAPI document. They are in one place because they all describe the same event."""

from __future__ import annotations

from typing import Any

from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example

Json = dict[str, Any]

_ID = "0190d5ac-7f5e-7cc1-8f0e-5b2f6f1d2a10"

NEW_EVENT: Json = {
    "type": "proposal",
    "scope": "ui.login",
    "trace_id": "checkout-42",
    "agent_id": "designer",
    "payload": {"action": "improve_ux"},
}
EVENT: Json = {"id": _ID, **NEW_EVENT, "parent_ids": [], "timestamp": "2025-01-15T10:30:00.000Z", "position": 1}
RECORDED: Json = {**EVENT, "signals": [{"scope": "ui.login", "pattern": "improve_ux", "before": 0.0, "after": 0.3}]}
SIGNAL: Json = {
    "id": "630eaa56-4ee6-5afc-9d5e-dd4e058f1927",
    "scope": "ui.login",
    "pattern": "improve_ux",
    "strength": 0.3,
    "last_updated": "2025-01-15T10:30:00.000Z",
    "alpha": 1.2,
    "lambda": 0.95,
}
EXPLANATION: Json = {
    "scope": "ui.login",
    "pattern": "improve_ux",
    "strength": 0.285,
    "at": {"position": 1, "timestamp": "2025-01-15T10:31:00.000Z"},
    "decay": -0.015,
    "count": 1,
    "truncated": False,
    "events": [
        {
            **{name: EVENT[name] for name in ("id", "type", "scope", "trace_id", "agent_id", "timestamp", "position")},
            **{"decay": 0.0, "before": 0.0, "change": 0.3, "after": 0.3},
        }
    ],
}
SUPPOSITION: Json = {"drop": [], "add": [{**NEW_EVENT, "type": "penalty", "payload": {"action": "improve_ux", "value": 0.2}}]}
WHAT_IF: Json = {
    "position": 2,
    "timestamp": "2025-01-15T10:31:00.000Z",
    "signals": [{**SIGNAL, "strength": 0.085, "actual": 0.285}],
}
LINEAGE: Json = {
    "count": 1,
    "truncated": False,
    "nodes": [{**{name: value for name, value in EVENT.items() if name != "payload"}, "depth": 1}],
}
PATHS: Json = {**LINEAGE, "shortest": [_ID], "hops": 0}
TRACE: Json = {
    "trace_id": "checkout-42",
    "events": 2,
    "first": 1,
    "last": 2,
    "started": "2025-01-15T10:30:00.000Z",
    "ended": "2025-01-15T10:30:12.500Z",
}
_STEP: Json = {name: EVENT[name] for name in ("id", "type", "scope", "agent_id", "timestamp", "position")}
TRACE_SUMMARY: Json = {
    "trace_id": "checkout-42",
    "events": 1,
    "truncated": False,
    "started": "2025-01-15T10:30:00.000Z",
    "ended": "2025-01-15T10:30:00.000Z",
    "duration": 0.0,
    "types": {"proposal": 1},
    "scopes": {"ui.login": 1},
    "agents": [{"agent_id": "designer", "events": 1, "critical_seconds": 0.0, "critical_share": 0.0}],
    "roots": {"count": 1, "ids": [_ID]},
    "leaves": {"count": 1, "ids": [_ID]},
    "rewards": {"count": 0, "total": 0.0},
    "penalties": {"count": 0, "total": 0.0},
    "critical_path": {"count": 1, "seconds": 0.0, "steps": [{**_STEP, "seconds": 0.0}]},
}
TRACE_GRAPH: Json = {
    "nodes": [_STEP],
    "edges": [],
    "graph": {"trace_id": "checkout-42", "truncated": False},
    "directed": True,
    "multigraph": False,
}
NEW_NODE: Json = {"type": "file", "data": {"path": "src/login.py"}}
NODE: Json = {"id": _ID, **NEW_NODE, "edges": []}
NEW_EDGE: Json = {"to": _ID, "type": "depends_on"}
LINKED_NODE: Json = {"id": _ID, **NEW_NODE, "edge": "changed_by"}
QUERY: Json = {
    "name": "cookbook/who_rewards_whom",
    "purpose": "Who rewards whose proposals?",
    "language": "cypher",
    "parameters": [
        {"name": "limit", "type": "INTEGER", "description": "", "required": False, "default": 20, "minimum": 1, "maximum": 1000},
    ],
    "columns": [
        {"name": "giver", "type": "STRING"},
        {"name": "receiver", "type": "STRING"},
        {"name": "rewards", "type": "INTEGER"},
    ],
    "text": "MATCH (reward:Event) WHERE reward.type = 'reward' ...",
}
QUERY_ANSWER: Json = {
    "columns": ["giver", "receiver", "rewards"],
    "rows": [["critic", "designer", 1]],
    "truncated": False,
    "after": 0,
    "until": 2,
}


def success(model: Any, example: Any, description: str = "Done.") -> ResponseSpec:
    """A documented success answer with its example."""
    return ResponseSpec(data_container=model, description=description, generate_examples=False, examples=[Example(value=example)])


def created(model: Any, example: Any) -> dict[int, ResponseSpec]:
    """The two success answers of a create request that may be retried."""
    return {
        201: success(model, example, "Stored."),
        200: success(model, example, "Already stored with the same content; this request was a retry."),
    }
