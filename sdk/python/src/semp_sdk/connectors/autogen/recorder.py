"""Agents and teams of AutoGen, watched at their own methods."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from autogen_agentchat.base import ChatAgent, Response, TaskResult, Team
from autogen_agentchat.messages import BaseChatMessage
from autogen_agentchat.teams import DiGraph
from autogen_core import CancellationToken
from autogen_core.tools import Workbench

from semp_sdk.connectors.autogen.calls import CallWatch
from semp_sdk.connectors.autogen.reporter import Reporter
from semp_sdk.connectors.autogen.steps import Message, Place, Run, Turn
from semp_sdk.connectors.autogen.streams import Told, Watch, around, passed_on, told
from semp_sdk.connectors.recording import OnFailure, Recording
from semp_sdk.connectors.texts import scope_of

R = TypeVar("R", bound=ChatAgent | Team)
Task = str | BaseChatMessage | Sequence[BaseChatMessage] | None
WATCH = "_semp_watch"


class TeamRecorder:
    """Tells of the runs of teams and agents, and of everything these set to work: participants, teams in teams, agents and teams that are
    tools. It stands in front of their own methods, `run_stream` of teams, `on_messages` and `on_messages_stream` of agents, and changes
    nothing of what these do.

    Each run is a trace: the one of the code that starts it, see `semp_sdk.tracing.trace`, else a new one. A run of a team that goes on
    where its last one stopped, as AutoGen's do unless they are reset, belongs to the same trace and follows from it.
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
            scope: of runs, and of the turns of participants; of tools and inner teams, with the name of whose they are below it. `my team`
                becomes `my-team`.
            agent_id: who gives feedback where nobody in particular does.
            trace_id: of all runs. None: see above.
            parents: what runs in the trace `trace_id` follow from.
            content: whether payloads tell what went in and came out, cut to a readable length; else only that something did.
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
        """The same team or agent, told of from now on; by the newest recorder, if there are several."""
        _watch(runner, self._reporter)
        return runner


def recorded(runner: R, url: str = "http://localhost:5000", **options: Any) -> R:
    """The same team or agent, whose runs are told to the service at this URL; `options` are those of `TeamRecorder`.

    Raises:
        ValueError: the URL is none.
    """
    return TeamRecorder(url, **options).watch(runner)


def scored(score: float, runner: ChatAgent | Team, *, agent_id: str | None = None, **payload: Any) -> str | None:
    """Feedback on the newest run of a recorded team, participant or agent: a reward of a score of 0..1, a penalty of one below 0, of the
    signal of its name. Answers the event's id; None, if nothing of it has ended yet.
    """
    watch = getattr(runner, WATCH, None)
    if not isinstance(watch, Watch) or watch.ended is None:
        return None
    where = {"scope": watch.ended.scope, "trace_id": watch.ended.trace_id}
    return watch.reporter.recording.scored(score, [watch.ended.event], action=runner.name, agent_id=agent_id, **where, **payload)


def _watch(runner: ChatAgent | Team, reporter: Reporter) -> None:
    watch = getattr(runner, WATCH, None)
    if not isinstance(watch, AgentWatch | TeamWatch):
        watch = TeamWatch(runner) if isinstance(runner, Team) else AgentWatch(runner)
        setattr(runner, WATCH, watch)
    watch.reporter = reporter
    for workbench in _workbenches(runner):
        if not hasattr(workbench, WATCH):
            setattr(workbench, WATCH, CallWatch(workbench))
    for part in _parts(runner):
        _watch(part, reporter)


def _parts(runner: ChatAgent | Team) -> list[ChatAgent | Team]:
    """What a team or agent sets to work. AutoGen has no public names for them."""
    found: list[Any] = list(getattr(runner, "_participants", ()))
    found += [getattr(runner, name, None) for name in ("_team", "_wrapped_agent")]
    for workbench in _workbenches(runner):
        found += [getattr(tool, "_task_runner", None) for tool in getattr(workbench, "_tools", ())]
    return [part for part in found if isinstance(part, ChatAgent | Team)]


def _workbenches(runner: ChatAgent | Team) -> list[Workbench]:
    found: list[Any] = list(getattr(runner, "_workbench", None) or ())
    return [workbench for workbench in found if isinstance(workbench, Workbench)]


class _Participant(Watch):
    """What agents and teams have in common: either may be a participant of a team."""

    def __init__(self, runner: Any) -> None:
        super().__init__(runner)
        self.runs: list[Run] = []
        """What teams that it is a participant of are at work on, oldest first."""

    def placed(self, messages: Sequence[BaseChatMessage]) -> Place:
        """Where a step that begins now with these messages belongs, and what it follows from. With a runtime of the caller's it is not
        known which of several runs sets it to work: the newest then.
        """
        here = around()
        if not self.runs or not isinstance(here, Run | None):
            return self.place()
        run = here if here in self.runs else self.runs[-1]
        return run.following(self.runner.name, messages)

    def ended_in(self, step: Run | Turn, end: str, said: Sequence[Message]) -> None:
        """The step ended with this event. In a team, what was said in it is what others follow from."""
        self.closed(step, end)
        run = step.place.around
        if isinstance(run, Run):
            run.spoken(self.runner.name, step.place.depth, end, said)


class AgentWatch(_Participant):
    """An agent, whose turns are told. Either of its two ways to answer may be made of the other: it is one turn then."""

    def __init__(self, runner: Any) -> None:
        super().__init__(runner)
        self._turns: set[Turn] = set()
        """Under way."""
        self._answer, runner.on_messages = runner.on_messages, self.on_messages
        self._stream, runner.on_messages_stream = runner.on_messages_stream, self.on_messages_stream

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """The agent's own, told."""
        if self._at_work() is not None:
            return await self._answer(messages, cancellation_token)
        turn = Told(self, messages)
        try:
            with turn.inside():
                response: Response = await self._answer(messages, cancellation_token)
        except BaseException as error:
            turn.over(error)
            raise
        for message in response.inner_messages or ():
            turn.heard(message)
        turn.heard(response)
        return response

    def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[Message | Response, None]:
        """The agent's own, told."""
        stream, turn = self._stream(messages, cancellation_token), self._at_work()
        return told(stream, self, messages) if turn is None else self._overheard(stream, turn)

    async def _overheard(self, stream: AsyncGenerator[Any, None], turn: Turn) -> AsyncGenerator[Any, None]:
        """Pass on what the agent says to itself. What it makes of its stream's answer is the answer."""
        step = Told(self, (), turn)
        async with aclosing(passed_on(stream, step.inside)) as messages:
            async for message in messages:
                if not isinstance(message, Response):
                    step.heard(message)
                yield message

    def _at_work(self) -> Turn | None:
        """The turn of this agent that the running code is part of, if any."""
        here = around()
        return here if isinstance(here, Turn) and here in self._turns else None

    def begin(self, given: Sequence[BaseChatMessage]) -> Turn:
        turn = self.reporter.turn_began(self.runner.name, given, self.placed(given))
        self._turns.add(turn)
        return turn

    def hear(self, step: Turn, message: Message | Response) -> bool:
        self.reporter.heard(step, message)
        return isinstance(message, Response)

    def end(self, step: Turn, last: Message | Response | None, error: BaseException | None) -> None:
        self._turns.discard(step)
        end = self.reporter.turn_over(step, error)
        self.ended_in(step, end, [last.chat_message] if isinstance(last, Response) else [])


class TeamWatch(_Participant):
    """A team, whose runs are told."""

    def __init__(self, runner: Any) -> None:
        super().__init__(runner)
        self._stream, runner.run_stream = runner.run_stream, self.run_stream
        self._reset, runner.reset = runner.reset, self.reset

    def run_stream(self, *, task: Task = None, **options: Any) -> AsyncGenerator[Message | TaskResult, None]:
        """The team's own, told."""
        return told(self._stream(task=task, **options), self, task)

    async def reset(self) -> None:
        """The team's own. What it does from now on does not follow from what it did before."""
        await self._reset()
        self.ended = None

    def begin(self, given: Task) -> Run:
        messages = [given] if isinstance(given, BaseChatMessage) else [] if given is None or isinstance(given, str) else list(given)
        place = self.placed(messages)
        inner = place.scope if place.around is None else scope_of(place.scope, self.runner.name)
        run = self.reporter.run_began(
            self.runner.name, given if isinstance(given, str) else messages, place, inner, len(self.runner._participants)
        )
        run.manager = getattr(self.runner, "_group_chat_manager_name", "")
        graph = getattr(self.runner, "_graph", None)
        run.graph = graph if isinstance(graph, DiGraph) else None
        for watch in self._participants():
            watch.runs.append(run)
        return run

    def hear(self, step: Run, message: Message | TaskResult) -> bool:
        self.reporter.run_said(step, message)
        return isinstance(message, TaskResult)

    def end(self, step: Run, last: Message | TaskResult | None, error: BaseException | None) -> None:
        for watch in self._participants():
            watch.runs.remove(step)
        end = self.reporter.run_over(step, error)
        self.ended_in(step, end, last.messages if isinstance(last, TaskResult) else [])

    def _participants(self) -> list[_Participant]:
        found = [getattr(participant, WATCH, None) for participant in self.runner._participants]
        return [watch for watch in found if isinstance(watch, _Participant)]
