"""What AutoGen's messages say happened, as events."""

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
"""Characters of the reason a team stopped for, at most."""
ROUNDS = "Max rounds reached."
"""Why a manager that answers itself does so, unless its model says why."""


def stopped(error: BaseException | None) -> bool:
    """Whether a step was stopped from outside, which is nobody's mistake."""
    return not isinstance(error, Exception | None)


class Reporter:
    """Tells a recording of runs, turns and tool calls."""

    def __init__(self, recording: Recording, trace_id: str | None) -> None:
        self.recording = recording
        self.trace_id = trace_id
        """Of all runs, where one was given."""

    def shown(self, **content: Any) -> dict[str, str]:
        """What went in or came out, where the recording may tell it."""
        return {name: excerpt(value) for name, value in content.items()} if self.recording.content else {}

    def given(self, task: str | Sequence[Message]) -> dict[str, str]:
        """What a step was given, where the recording may tell it."""
        if not self.recording.content or not task:
            return {}
        return self.shown(input=task if isinstance(task, str) else "\n".join(message.to_text() for message in task))

    # An agent's turn

    def turn_began(self, name: str, messages: Sequence[Message], place: Place) -> Turn:
        """An agent begins to answer messages."""
        return Turn(self._proposal(name, name, place, messages=len(messages), **self.given(messages)), name, name, place)

    def heard(self, turn: Turn, message: Message | Response) -> None:
        """An agent says something, or answers."""
        if isinstance(message, ModelClientStreamingChunkEvent):
            return
        said = message.chat_message if isinstance(message, Response) else message
        if said.source != turn.agent:
            return  # of an agent it has set to work, which is watched itself
        if isinstance(message, Response):
            turn.answer = {"message": type(said).__name__, **self.shown(output=said.to_text())}
            if isinstance(said, HandoffMessage):
                turn.answer["handoff"] = said.target
        if not turn.first_heard(said):
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
            proposal = self._proposal(call.name, turn.agent, place, **self.shown(arguments=call.arguments))
            turn.calls[call.id] = Step(proposal, call.name, turn.agent, place)
            turn.called += 1

    def _answered(self, turn: Turn, execution: ToolCallExecutionEvent) -> None:
        for result in execution.content:
            call = turn.calls.pop(result.call_id, None)
            if call is not None:
                told = {"seconds": call.seconds()} if result.is_error else {"seconds": call.seconds(), **self.shown(result=result.content)}
                turn.happened(call.place.parents, self._end(call, result.content if result.is_error else None, told))

    def _executed(self, turn: Turn, execution: CodeExecutionEvent) -> None:
        parents, code = turn.last(), execution.result.exit_code
        test = self.recording.checked(
            "run_code", parents, code == 0, scope=scope_of(turn.place.scope, turn.agent), agent_id=turn.agent, trace_id=turn.place.trace_id,
            exit_code=code, attempt=execution.retry_attempt, **self.shown(output=execution.result.output),
        )  # fmt: skip
        turn.happened(parents, test)

    def turn_over(self, turn: Turn, error: BaseException | None) -> str:
        """An agent has answered, or could not. Answers the event that says so."""
        told: dict[str, Any] = {"seconds": turn.seconds(), **turn.answer}
        if turn.called:
            told["tool_calls"] = turn.called
        if turn.input_tokens or turn.output_tokens:
            told |= {"input_tokens": turn.input_tokens, "output_tokens": turn.output_tokens}
        return self._end(turn, error, told)

    # A team's run

    def run_began(self, name: str, task: str | Sequence[Message], place: Place, inner_scope: str, participants: int) -> Run:
        """A team begins to work on a task."""
        return Run(
            self._proposal(name, name, place, participants=participants, **self.given(task)), name, name, place, inner_scope=inner_scope
        )

    def run_said(self, run: Run, message: Message | TaskResult) -> None:
        """A team passes on a message, or its result."""
        if isinstance(message, TaskResult):
            run.stop_reason = self._reason(run, message)
        elif isinstance(message, BaseChatMessage):
            run.messages += 1

    def _reason(self, run: Run, result: TaskResult) -> str | None:
        """Why a team stopped. Where the manager had the last word, its model says why, which may tell what went in or came out."""
        last = result.messages[-1] if result.messages else None
        own = isinstance(last, BaseChatMessage) and last.source == run.manager and result.stop_reason != ROUNDS
        return "final answer" if own and not self.recording.content else result.stop_reason

    def run_over(self, run: Run, error: BaseException | None) -> str:
        """A team has stopped. Answers the event that says so."""
        told: dict[str, Any] = {"turns": run.turns, "messages": run.messages, "seconds": run.seconds()}
        if run.stop_reason is not None:
            told["stop_reason"] = excerpt(run.stop_reason, REASON)
        text, passed_on, _ = str(error).partition("\nTraceback:")  # AutoGen passes on what a participant raised as a text
        return self._end(run, text if passed_on else error, told)

    # Either

    def _proposal(self, action: str, agent: str, place: Place, **told: Any) -> str:
        return self.recording.started(
            action, parents=place.parents, scope=place.scope, agent_id=agent, trace_id=place.trace_id, **told
        )  # fmt: skip

    def _end(self, step: Step, error: BaseException | str | None, told: dict[str, Any]) -> str:
        if error is None:
            return self.recording.ended(step.action, step.outcome(), **step.where(), **told)
        if isinstance(error, BaseException) and stopped(error):
            return self.recording.ended(step.action, step.outcome(), **step.where(), status="cancelled", **told)
        return self.recording.failed(step.action, step.outcome(), error, **step.where(), **told)
