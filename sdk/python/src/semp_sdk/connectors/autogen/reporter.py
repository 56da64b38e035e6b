"""Events made of AutoGen's messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autogen_agentchat.base import Response, TaskResult
from autogen_agentchat.messages import (
    BaseChatMessage,
    CodeExecutionEvent,
    HandoffMessage,
    ModelClientStreamingChunkEvent,
    ToolCallExecutionEvent,
    ToolCallRequestEvent,
)

from semp_sdk.connectors.autogen.steps import Message, Place, Run, Step, Turn
from semp_sdk.connectors.recording import Recording
from semp_sdk.connectors.texts import excerpt, scope_of

REASON = 200
"""Longest stop reason in a payload, in characters."""
ROUNDS = "Max rounds reached."
"""Stop reason of a manager that answers itself, when its model gives none."""


def stopped(error: BaseException | None) -> bool:
    """Whether a step was cancelled from outside, which is not a failure."""
    return not isinstance(error, Exception | None)


class Reporter:
    """Records runs, turns and tool calls."""

    def __init__(self, recording: Recording, trace_id: str | None) -> None:
        self.recording = recording
        self.trace_id = trace_id
        """Trace of all runs, if one was configured."""

    def content(self, **content: Any) -> dict[str, str]:
        """Inputs or outputs, if the recording may contain them; else nothing."""
        return {name: excerpt(value) for name, value in content.items()} if self.recording.content else {}

    def task_content(self, task: str | Sequence[Message]) -> dict[str, str]:
        """The input of a step, if the recording may contain it; else nothing."""
        if not self.recording.content or not task:
            return {}
        return self.content(input=task if isinstance(task, str) else "\n".join(message.to_text() for message in task))

    # An agent's turn

    def turn_began(self, name: str, messages: Sequence[Message], place: Place) -> Turn:
        """An agent starts to answer messages."""
        return Turn(self._proposal(name, name, place, messages=len(messages), **self.task_content(messages)), name, name, place)

    def on_message(self, turn: Turn, message: Message | Response) -> None:
        """An agent emits a message, or its response."""
        if isinstance(message, ModelClientStreamingChunkEvent):
            return
        said = message.chat_message if isinstance(message, Response) else message
        if said.source != turn.agent:
            return  # a message of an inner agent, which is recorded itself
        if isinstance(message, Response):
            turn.answer = {"message": type(said).__name__, **self.content(output=said.to_text())}
            if isinstance(said, HandoffMessage):
                turn.answer["handoff"] = said.target
        if not turn.is_new(said):
            return
        if said.models_usage is not None:
            turn.input_tokens += said.models_usage.prompt_tokens
            turn.output_tokens += said.models_usage.completion_tokens
        if isinstance(said, ToolCallRequestEvent):
            self._called(turn, said)
        elif isinstance(said, ToolCallExecutionEvent):
            self._answered(turn, said)
        elif isinstance(said, CodeExecutionEvent):
            self._executed(turn, said)

    def _called(self, turn: Turn, request: ToolCallRequestEvent) -> None:
        parents = turn.last()
        for call in request.content:
            place = Place(turn, parents, scope_of(turn.place.scope, turn.agent), turn.place.trace_id)
            proposal = self._proposal(call.name, turn.agent, place, **self.content(arguments=call.arguments))
            turn.calls[call.id] = Step(proposal, call.name, turn.agent, place)
            turn.called += 1

    def _answered(self, turn: Turn, execution: ToolCallExecutionEvent) -> None:
        for result in execution.content:
            call = turn.calls.pop(result.call_id, None)
            if call is not None:
                answer = {} if result.is_error else self.content(result=result.content)
                payload: dict[str, Any] = {"seconds": call.seconds(), **answer}
                turn.happened(call.place.parents, self._end(call, result.content if result.is_error else None, payload))

    def _executed(self, turn: Turn, execution: CodeExecutionEvent) -> None:
        parents, code = turn.last(), execution.result.exit_code
        test = self.recording.checked(
            "run_code", parents, code == 0, scope=scope_of(turn.place.scope, turn.agent), agent_id=turn.agent, trace_id=turn.place.trace_id,
            exit_code=code, attempt=execution.retry_attempt, **self.content(output=execution.result.output),
        )  # fmt: skip
        turn.happened(parents, test)

    def turn_over(self, turn: Turn, error: BaseException | None) -> str:
        """An agent's turn has ended. Returns the id of its last event."""
        payload: dict[str, Any] = {"seconds": turn.seconds(), **turn.answer}
        if turn.called:
            payload["tool_calls"] = turn.called
        if turn.input_tokens or turn.output_tokens:
            payload |= {"input_tokens": turn.input_tokens, "output_tokens": turn.output_tokens}
        return self._end(turn, error, payload)

    # A team's run

    def run_began(self, name: str, task: str | Sequence[Message], place: Place, inner_scope: str, participants: int) -> Run:
        """A team starts to work on a task."""
        proposal = self._proposal(name, name, place, participants=participants, **self.task_content(task))
        return Run(proposal, name, name, place, inner_scope=inner_scope)

    def run_said(self, run: Run, message: Message | TaskResult) -> None:
        """A team emits a message, or its result."""
        if isinstance(message, TaskResult):
            run.stop_reason = self._reason(run, message)
        elif isinstance(message, BaseChatMessage):
            run.messages += 1

    def _reason(self, run: Run, result: TaskResult) -> str | None:
        """Why a team stopped. When the manager sent the last message, its model wrote the reason, which may repeat inputs or outputs."""
        last = result.messages[-1] if result.messages else None
        own = isinstance(last, BaseChatMessage) and last.source == run.manager and result.stop_reason != ROUNDS
        return "final answer" if own and not self.recording.content else result.stop_reason

    def run_over(self, run: Run, error: BaseException | None) -> str:
        """A team's run has ended. Returns the id of its last event."""
        payload: dict[str, Any] = {"turns": run.turns, "messages": run.messages, "seconds": run.seconds()}
        if run.stop_reason is not None:
            payload["stop_reason"] = excerpt(run.stop_reason, REASON)
        text, separator, _ = str(error).partition("\nTraceback:")  # AutoGen gives a participant's exception as text
        return self._end(run, text if separator else error, payload)

    # Either

    def _proposal(self, action: str, agent: str, place: Place, **payload: Any) -> str:
        return self.recording.started(
            action, parents=place.parents, scope=place.scope, agent_id=agent, trace_id=place.trace_id, **payload
        )  # fmt: skip

    def _end(self, step: Step, error: BaseException | str | None, payload: dict[str, Any]) -> str:
        if error is None:
            return self.recording.ended(step.action, step.outcome(), **step.where(), **payload)
        if isinstance(error, BaseException) and stopped(error):
            return self.recording.ended(step.action, step.outcome(), **step.where(), status="cancelled", **payload)
        return self.recording.failed(step.action, step.outcome(), error, **step.where(), **payload)
