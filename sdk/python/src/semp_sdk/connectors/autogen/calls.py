"""Wrappers of workbenches, which show which call a tool runs for."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager
from typing import Any

from autogen_core.tools import ToolResult, Workbench

from semp_sdk.connectors.autogen.steps import Turn
from semp_sdk.connectors.autogen.streams import current_step, forwarded, running_in


class WorkbenchWrapper:
    """Wraps a workbench, which several agents may share. Code that runs in a tool call is part of this call, and not of the other calls
    that the model asked for at the same time.
    """

    def __init__(self, workbench: Workbench) -> None:
        bench: Any = workbench
        self._call, bench.call_tool = bench.call_tool, self.call_tool
        if hasattr(bench, "call_tool_stream"):
            self._stream, bench.call_tool_stream = bench.call_tool_stream, self.call_tool_stream

    async def call_tool(self, *given: Any, **named: Any) -> ToolResult:
        """The workbench's own method, with the call as the current step."""
        with _inside(named):
            result: ToolResult = await self._call(*given, **named)
        return result

    def call_tool_stream(self, *given: Any, **named: Any) -> AsyncGenerator[Any, None]:
        """The workbench's own method, with the call as the current step."""
        return forwarded(self._stream(*given, **named), lambda: _inside(named))


def _inside(named: dict[str, Any]) -> AbstractContextManager[None]:
    turn = current_step()
    return running_in(turn.calls.get(named.get("call_id", "")) if isinstance(turn, Turn) else None)
