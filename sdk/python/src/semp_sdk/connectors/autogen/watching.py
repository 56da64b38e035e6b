"""Agents and teams of AutoGen, watched at their own methods."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any, TypeVar

from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import ChatAgent, Response, TaskResult, Team
from autogen_agentchat.messages import BaseChatMessage
from autogen_core import CancellationToken

from semp_sdk.connectors.autogen.steps import Place, Run, Turn
from semp_sdk.connectors.autogen.streams import Told, Watch, told
from semp_sdk.connectors.autogen.telling import Message, Teller, stopped
from semp_sdk.connectors.recording import Recording
from semp_sdk.connectors.texts import scope_of

R = TypeVar("R", bound=ChatAgent | Team)
Task = str | BaseChatMessage | Sequence[BaseChatMessage] | None
WATCH = "_semp_watch"


def recorded(runner: R, recording: Recording) -> R:
    """The same team or agent, whose runs leave events from now on, with everything it sets to work: participants, teams in teams,
    agents and teams that are tools.

    A run belongs to the trace of the code that starts it, see `semp_sdk.tracing.trace`; else to the recording's, where it follows from
    the run before, unless the team was reset in between. Called again with another recording, that one is told from then on.
    """
    _watch(runner, Teller(recording), None)
    return runner


def outcome(runner: ChatAgent | Team) -> str | None:
    """Id of the event that the newest run of a recorded team or agent ended with: what feedback on it follows from. None before that."""
    watch = getattr(runner, WATCH, None)
    return watch.ended if isinstance(watch, Watch) else None


def _watch(runner: ChatAgent | Team, teller: Teller, team: TeamWatch | None) -> None:
    watch = getattr(runner, WATCH, None)
    if not isinstance(watch, AgentWatch | TeamWatch):
        watch = TeamWatch(runner) if isinstance(runner, Team) else AgentWatch(runner)
        setattr(runner, WATCH, watch)
    watch.teller, watch.team = teller, team or watch.team
    for part in _parts(runner):
        _watch(part, teller, watch if isinstance(watch, TeamWatch) else None)


def _parts(runner: ChatAgent | Team) -> list[ChatAgent | Team]:
    """What a team or agent sets to work. AutoGen has no public names for them."""
    found: list[Any] = list(getattr(runner, "_participants", ()))
    found += [getattr(runner, name, None) for name in ("_team", "_wrapped_agent")]
    for workbench in getattr(runner, "_workbench", None) or ():
        found += [getattr(tool, "_task_runner", None) for tool in getattr(workbench, "_tools", ())]
    return [part for part in found if isinstance(part, ChatAgent | Team)]


class _Participant(Watch):
    """What agents and teams have in common: either may be a participant of a team."""

    team: TeamWatch | None = None

    def placed(self, messages: Sequence[BaseChatMessage]) -> Place:
        """Where a step that begins now with these messages belongs, and what it follows from."""
        run = self.team.run if self.team is not None else None
        return self.place() if run is None else run.following(self.runner.name, [message.id for message in messages])

    def ended_in(self, step: Run | Turn, end: str, error: BaseException | None, said: Sequence[Message]) -> None:
        """The step ended with this event. In a team, what was said in it is what others follow from."""
        self.closed(step, end)
        run = step.place.around
        if isinstance(run, Run):
            run.turns += 1
            run.error = error or run.error
            for key in (self.runner.name, *(message.id for message in said)):
                run.said[key] = step.place.depth, end


class AgentWatch(_Participant):
    """An agent, whose turns are told."""

    def __init__(self, runner: Any) -> None:
        super().__init__(runner)
        if type(runner).on_messages_stream is BaseChatAgent.on_messages_stream:
            self._answer, runner.on_messages = runner.on_messages, self.on_messages
        else:
            self._stream, runner.on_messages_stream = runner.on_messages_stream, self.on_messages_stream

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """The agent's own, told."""
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
        return told(self._stream(messages, cancellation_token), self, messages)

    def begin(self, given: Sequence[BaseChatMessage]) -> Turn:
        return self.teller.turn_began(self.runner.name, given, self.placed(given))

    def hear(self, step: Turn, message: Message | Response) -> bool:
        self.teller.heard(step, message)
        return isinstance(message, Response)

    def end(self, step: Turn, last: Message | Response | None, error: BaseException | None) -> None:
        end = self.teller.turn_over(step, error)
        self.ended_in(step, end, None if stopped(error) else error, [last.chat_message] if isinstance(last, Response) else [])


class TeamWatch(_Participant):
    """A team, whose runs are told."""

    def __init__(self, runner: Any) -> None:
        super().__init__(runner)
        self.run: Run | None = None
        """What it is at work on."""
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
        run = self.teller.run_began(
            self.runner.name, given if isinstance(given, str) else messages, place, inner, len(self.runner._participants)
        )
        run.before, self.run = self.run, run
        return run

    def hear(self, step: Run, message: Message | TaskResult) -> bool:
        self.teller.run_said(step, message)
        return isinstance(message, TaskResult)

    def end(self, step: Run, last: Message | TaskResult | None, error: BaseException | None) -> None:
        self.run = step.before
        end = self.teller.run_over(step, error)
        self.ended_in(step, end, None if stopped(error) else step.error or error, last.messages if isinstance(last, TaskResult) else [])
