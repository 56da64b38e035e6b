"""Recorders of AutoGen's agents and teams, which wrap their methods."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from autogen_agentchat.base import ChatAgent, Response, TaskResult, Team
from autogen_agentchat.messages import BaseChatMessage
from autogen_agentchat.teams import DiGraph
from autogen_core import CancellationToken
from autogen_core.tools import Workbench

from semp_sdk.connectors.autogen.calls import WorkbenchWrapper
from semp_sdk.connectors.autogen.reporter import Reporter
from semp_sdk.connectors.autogen.steps import Message, Place, Run, Turn
from semp_sdk.connectors.autogen.streams import ReportedStep, Wrapper, current_step, forwarded, reported
from semp_sdk.connectors.recording import OnFailure, Recording
from semp_sdk.connectors.texts import scope_of

R = TypeVar("R", bound=ChatAgent | Team)
Task = str | BaseChatMessage | Sequence[BaseChatMessage] | None
WRAPPER = "_semp_wrapper"


class TeamRecorder:
    """Records runs of teams and agents, and of all their parts: participants, teams in teams, agents and teams that are tools. It wraps
    their methods (`run_stream` of teams, `on_messages` and `on_messages_stream` of agents) and does not change what these do.

    Each run is a trace: the trace of the code that starts it, see `semp_sdk.tracing.trace`, else a new one. A team that was not reset
    continues where its last run stopped; such a run belongs to the same trace and follows from the last run.
    """

    def __init__(
        self,
        url: str = "http://localhost:5000",
        *,
        scope: str = "team",
        agent_id: str = "autogen",
        trace_id: str | None = None,
        parents: Sequence[str] = (),
        content: bool = False,
        capacity: int = 10_000,
        penalty: float = 0.5,
        on_failure: OnFailure = "penalty",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """
        Args:
            url: the service.
            scope: scope of runs and of participants' turns. Tools and inner teams get the name of their agent or team below it. `my team`
                becomes `my-team`.
            agent_id: agent of feedback that names none.
            trace_id: trace of all runs. None: see above.
            parents: parents of runs in the trace `trace_id`.
            content: whether payloads contain inputs and outputs, cut to a readable length.
            capacity, penalty, on_failure, headers: see `Recording`.

        Raises:
            ValueError: the URL is none.
        """
        self.recording = Recording(
            url, agent_id=agent_id, scope=scope, trace_id=trace_id, parents=parents, content=content, capacity=capacity,
            penalty=penalty, on_failure=on_failure, headers=headers,
        )  # fmt: skip
        self._reporter = Reporter(self.recording, trace_id)

    def watch(self, runner: R) -> R:
        """The same team or agent, recorded from now on. When several recorders watch it, only the newest one records."""
        _watch(runner, self._reporter)
        return runner


def recorded(runner: R, url: str = "http://localhost:5000", **options: Any) -> R:
    """The same team or agent, with its runs recorded at the service with this URL; `options` are those of `TeamRecorder`.

    Raises:
        ValueError: the URL is none.
    """
    return TeamRecorder(url, **options).watch(runner)


def scored(score: float, runner: ChatAgent | Team, *, agent_id: str | None = None, **payload: Any) -> str | None:
    """Feedback on the newest run of a recorded team, participant or agent: a reward (0..1) or a penalty (below 0) of the signal with its
    name. Returns the event's id, or None when no run of it has ended yet.
    """
    wrapper = getattr(runner, WRAPPER, None)
    if not isinstance(wrapper, Wrapper) or wrapper.ended is None:
        return None
    where = {"scope": wrapper.ended.scope, "trace_id": wrapper.ended.trace_id}
    return wrapper.reporter.recording.scored(score, [wrapper.ended.event], action=runner.name, agent_id=agent_id, **where, **payload)


def _watch(runner: ChatAgent | Team, reporter: Reporter) -> None:
    wrapper = getattr(runner, WRAPPER, None)
    if not isinstance(wrapper, AgentWrapper | TeamWrapper):
        wrapper = TeamWrapper(runner) if isinstance(runner, Team) else AgentWrapper(runner)
        setattr(runner, WRAPPER, wrapper)
    wrapper.reporter = reporter
    for workbench in _workbenches(runner):
        if not hasattr(workbench, WRAPPER):
            setattr(workbench, WRAPPER, WorkbenchWrapper(workbench))
    for part in _parts(runner):
        _watch(part, reporter)


def _parts(runner: ChatAgent | Team) -> list[ChatAgent | Team]:
    """The agents and teams that a team or agent runs. AutoGen has no public names for them."""
    found: list[Any] = list(getattr(runner, "_participants", ()))
    found += [getattr(runner, name, None) for name in ("_team", "_wrapped_agent")]
    for workbench in _workbenches(runner):
        found += [getattr(tool, "_task_runner", None) for tool in getattr(workbench, "_tools", ())]
    return [part for part in found if isinstance(part, ChatAgent | Team)]


def _workbenches(runner: ChatAgent | Team) -> list[Workbench]:
    found: list[Any] = list(getattr(runner, "_workbench", None) or ())
    return [workbench for workbench in found if isinstance(workbench, Workbench)]


class _Participant(Wrapper):
    """Base of both wrappers: agents and teams may be participants of a team."""

    def __init__(self, runner: Any) -> None:
        super().__init__(runner)
        self.runs: list[Run] = []
        """Open runs of the teams it is a participant of, oldest first."""

    def place_of_step(self, messages: Sequence[BaseChatMessage]) -> Place:
        """Place of a step that starts now with these messages. On a runtime of the caller's own it is not known which of several open runs
        it belongs to; the newest run is taken.
        """
        here = current_step()
        if not self.runs or not isinstance(here, Run | None):
            return self.place()
        run = here if here in self.runs else self.runs[-1]
        return run.following(self.runner.name, messages)

    def ended_with(self, step: Run | Turn, end: str, said: Sequence[Message]) -> None:
        """The step ended with this event. In a team, turns that read these messages follow from it."""
        self.closed(step, end)
        run = step.place.parent
        if isinstance(run, Run):
            run.spoken(self.runner.name, step.place.depth, end, said)


class AgentWrapper(_Participant):
    """Wraps an agent, and reports its turns. One of its two methods may call the other; that counts as one turn."""

    def __init__(self, runner: Any) -> None:
        super().__init__(runner)
        self._turns: set[Turn] = set()
        """Its open turns."""
        self._answer, runner.on_messages = runner.on_messages, self.on_messages
        self._stream, runner.on_messages_stream = runner.on_messages_stream, self.on_messages_stream

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """The agent's own method, recorded."""
        if self._open_turn() is not None:
            return await self._answer(messages, cancellation_token)
        turn = ReportedStep(self, messages)
        try:
            with turn.inside():
                response: Response = await self._answer(messages, cancellation_token)
        except BaseException as error:
            turn.over(error)
            raise
        for message in response.inner_messages or ():
            turn.on_message(message)
        turn.on_message(response)
        return response

    def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[Message | Response, None]:
        """The agent's own method, recorded."""
        stream, turn = self._stream(messages, cancellation_token), self._open_turn()
        return reported(stream, self, messages) if turn is None else self._forward_own(stream, turn)

    async def _forward_own(self, stream: AsyncGenerator[Any, None], turn: Turn) -> AsyncGenerator[Any, None]:
        """Forward the agent's own stream within an open turn. Its response is left out: the method around it gives the final one."""
        step = ReportedStep(self, (), turn)
        async with aclosing(forwarded(stream, step.inside)) as messages:
            async for message in messages:
                if not isinstance(message, Response):
                    step.on_message(message)
                yield message

    def _open_turn(self) -> Turn | None:
        """The open turn of this agent that the running code is part of, if any."""
        here = current_step()
        return here if isinstance(here, Turn) and here in self._turns else None

    def begin(self, given: Sequence[BaseChatMessage]) -> Turn:
        turn = self.reporter.turn_began(self.runner.name, given, self.place_of_step(given))
        self._turns.add(turn)
        return turn

    def on_message(self, step: Turn, message: Message | Response) -> bool:
        self.reporter.on_message(step, message)
        return isinstance(message, Response)

    def end(self, step: Turn, last: Message | Response | None, error: BaseException | None) -> None:
        self._turns.discard(step)
        end = self.reporter.turn_over(step, error)
        self.ended_with(step, end, [last.chat_message] if isinstance(last, Response) else [])


class TeamWrapper(_Participant):
    """Wraps a team, and reports its runs."""

    def __init__(self, runner: Any) -> None:
        super().__init__(runner)
        self._stream, runner.run_stream = runner.run_stream, self.run_stream
        self._reset, runner.reset = runner.reset, self.reset

    def run_stream(self, *, task: Task = None, **options: Any) -> AsyncGenerator[Message | TaskResult, None]:
        """The team's own method, recorded."""
        return reported(self._stream(task=task, **options), self, task)

    async def reset(self) -> None:
        """The team's own method. The next run does not follow from the runs before."""
        await self._reset()
        self.ended = None

    def begin(self, given: Task) -> Run:
        messages = [given] if isinstance(given, BaseChatMessage) else [] if given is None or isinstance(given, str) else list(given)
        place = self.place_of_step(messages)
        inner = place.scope if place.parent is None else scope_of(place.scope, self.runner.name)
        run = self.reporter.run_began(
            self.runner.name, given if isinstance(given, str) else messages, place, inner, len(self.runner._participants)
        )
        run.manager = getattr(self.runner, "_group_chat_manager_name", "")
        graph = getattr(self.runner, "_graph", None)
        run.graph = graph if isinstance(graph, DiGraph) else None
        for wrapper in self._participants():
            wrapper.runs.append(run)
        return run

    def on_message(self, step: Run, message: Message | TaskResult) -> bool:
        self.reporter.run_said(step, message)
        return isinstance(message, TaskResult)

    def end(self, step: Run, last: Message | TaskResult | None, error: BaseException | None) -> None:
        for wrapper in self._participants():
            wrapper.runs.remove(step)
        end = self.reporter.run_over(step, error)
        self.ended_with(step, end, last.messages if isinstance(last, TaskResult) else [])

    def _participants(self) -> list[_Participant]:
        found = [getattr(participant, WRAPPER, None) for participant in self.runner._participants]
        return [wrapper for wrapper in found if isinstance(wrapper, _Participant)]
