"""Paths of signals and traces: a pattern or trace id is one segment for the router, whatever characters it has."""

from __future__ import annotations

import pytest
from semp.api.text_paths import one_segment


@pytest.mark.parametrize(
    ("raw", "routed"),
    [
        ("/api/signals/ui/go", "/api/signals/ui/go"),
        ("/api/signals/ui/go/explain", "/api/signals/ui/go/explain"),
        ("/api/signals/ui/a/b", "/api/signals/ui/a%2Fb"),
        ("/api/signals/ui/a/b/explain", "/api/signals/ui/a%2Fb/explain"),
        ("/api/signals/ui/a%2Fexplain", "/api/signals/ui/a%252Fexplain"),
        ("/api/signals/ui/explain", "/api/signals/ui/explain"),
        ("/api/signals/ui/explain/explain", "/api/signals/ui/explain/explain"),
        ("/api/signals/ui//explain", "/api/signals/ui/%2Fexplain"),
        ("/api/signals/u%2Fi/go", "/api/signals/u%2Fi/go"),
        ("/api/signals/u%69/go", "/api/signals/ui/go"),
        ("/api/signals/what-if", "/api/signals/what-if"),
        ("/api/signals/ui/", "/api/signals/ui/"),
        ("/api/traces/t1", "/api/traces/t1"),
        ("/api/traces/t1/graph", "/api/traces/t1/graph"),
        ("/api/traces/a/b", "/api/traces/a%2Fb"),
        ("/api/traces/a%2Fb/graph", "/api/traces/a%252Fb/graph"),
        ("/api/traces/a%2Fgraph", "/api/traces/a%252Fgraph"),
        ("/api/traces//graph", "/api/traces/%2Fgraph"),
    ],
)
def test_a_path_is_routed_by_scope_pattern_and_last_word(raw: str, routed: str) -> None:
    assert one_segment(raw) == routed
