"""Models that replay written answers, agents that need none, and what was told of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from autogen_agentchat.agents import AssistantAgent, BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.messages import BaseChatMessage, TextMessage
from autogen_core import CancellationToken, FunctionCall
from autogen_core.models import CreateResult, ModelFamily, RequestUsage
from autogen_ext.models.replay import ReplayChatCompletionClient
from conftest import Stored, stored
from semp_sdk.connectors.autogen import TeamRecorder
from semp_sdk.identifiers import new_id

ABLE: Any = {"vision": False, "function_calling": True, "json_output": True, "family": ModelFamily.UNKNOWN, "structured_output": True}


def model(*answers: str | CreateResult) -> ReplayChatCompletionClient:
    return ReplayChatCompletionClient(list(answers), model_info=ABLE)


def calls(*wanted: tuple[str, dict[str, Any]]) -> CreateResult:
    """A model's answer that calls tools."""
    asked = [FunctionCall(id=f"{name}-{at}", name=name, arguments=json.dumps(given)) for at, (name, given) in enumerate(wanted)]
    return CreateResult(
        content=asked,
        finish_reason="function_calls", usage=RequestUsage(prompt_tokens=7, completion_tokens=3), cached=False,
    )  # fmt: skip


def agent(name: str, *answers: str | CreateResult, **options: Any) -> AssistantAgent:
    return AssistantAgent(name, model_client=model(*answers), description=name, **options)


@contextmanager
def recorder_at(url: str, **options: Any) -> Generator[TeamRecorder]:
    given: dict[str, Any] = {"scope": "news", "trace_id": new_id(), **options}
    recorder = TeamRecorder(url, **given)
    with recorder.recording:
        yield recorder


def told(recorder: TeamRecorder) -> Stored:
    """What was told so far."""
    return stored(recorder.recording)


def names(found: Stored, event: dict[str, Any]) -> list[tuple[str, str | None]]:
    return sorted(found.parents(event), key=str)


class Plain(BaseChatAgent):
    """An agent that has on_messages only."""

    def __init__(self, name: str, says: Any = "done") -> None:
        super().__init__(name, name)
        self.says = says

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage,)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        said: Any = self.says() if callable(self.says) else self.says
        if asyncio.iscoroutine(said):
            said = await said
        return Response(chat_message=TextMessage(content=said, source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        pass
