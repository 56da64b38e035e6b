"""Crews, tasks, agents, tools, guardrails and evaluations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from crewai import Crew, Task
from crewai.events.base_events import BaseEvent
from crewai.events.types.agent_events import (
    AgentEvaluationCompletedEvent,
    AgentExecutionCompletedEvent,
    AgentExecutionErrorEvent,
    AgentExecutionStartedEvent,
    LiteAgentExecutionCompletedEvent,
    LiteAgentExecutionErrorEvent,
    LiteAgentExecutionStartedEvent,
)
from crewai.events.types.crew_events import (
    CrewKickoffCompletedEvent,
    CrewKickoffFailedEvent,
    CrewKickoffStartedEvent,
    CrewTestCompletedEvent,
    CrewTestFailedEvent,
    CrewTestResultEvent,
    CrewTestStartedEvent,
    CrewTrainCompletedEvent,
    CrewTrainFailedEvent,
    CrewTrainStartedEvent,
)
from crewai.events.types.llm_events import LLMCallCompletedEvent, LLMCallFailedEvent
from crewai.events.types.llm_guardrail_events import LLMGuardrailCompletedEvent
from crewai.events.types.task_events import TaskCompletedEvent, TaskFailedEvent, TaskStartedEvent
from crewai.events.types.tool_usage_events import (
    ToolSelectionErrorEvent,
    ToolUsageErrorEvent,
    ToolUsageFinishedEvent,
    ToolUsageStartedEvent,
    ToolValidateInputErrorEvent,
)

from semp_sdk.connectors.crewai.reporter import Reporter, enclosing
from semp_sdk.connectors.crewai.runs import Run, Span
from semp_sdk.connectors.texts import scope_of

EXECUTE = "execute_task"
BEST = 10.0
"""The largest score that CrewAI gives; the smallest is 0."""


def crew_started(reporter: Reporter, run: Run, event: CrewKickoffStartedEvent, source: Any) -> None:
    name = event.crew_name or "crew"
    counts = {"tasks": len(source.tasks), "agents": len(source.agents), "process": source.process.value} if isinstance(source, Crew) else {}
    reporter.begin(run, event, "crew", name, scope=reporter.recording.scope, agent=name, **counts, **reporter.content(input=event.inputs))


def crew_completed(reporter: Reporter, run: Run, event: CrewKickoffCompletedEvent, _: Any) -> None:
    reporter.end(run, event, "crew", **reporter.content(output=event.output.raw))


def crew_failed(reporter: Reporter, run: Run, event: CrewKickoffFailedEvent, _: Any) -> None:
    reporter.end(run, event, "crew", error=event.error)


def trial_started(reporter: Reporter, run: Run, event: CrewTestStartedEvent | CrewTrainStartedEvent, _: Any) -> None:
    action = "test" if isinstance(event, CrewTestStartedEvent) else "train"
    name = event.crew_name or "crew"
    reporter.begin(run, event, "trial", action, scope=reporter.recording.scope, agent=name, crew=name, iterations=event.n_iterations)


def trial_completed(reporter: Reporter, run: Run, event: BaseEvent, _: Any) -> None:
    reporter.end(run, event, "trial")


def trial_failed(reporter: Reporter, run: Run, event: CrewTestFailedEvent | CrewTrainFailedEvent, _: Any) -> None:
    reporter.end(run, event, "trial", error=event.error)


def trial_result(reporter: Reporter, run: Run, event: CrewTestResultEvent, _: Any) -> None:
    """The evaluator's score of a task. CrewAI has not ended the task yet at this time."""
    task = enclosing(run, event)
    if task is not None:
        parents = task.following()
        scored = reporter.recording.scored(
            event.quality / BEST, parents, action=task.action, scope=task.scope, agent_id="evaluator", trace_id=run.trace_id,
            metric="quality",
        )  # fmt: skip
        task.happened(parents, scored)


def task_started(reporter: Reporter, run: Run, event: TaskStartedEvent, _: Any) -> None:
    task = cast("Task", event.task)
    parent = enclosing(run, event)
    name = task_name(task)
    reporter.begin(
        run, event, "task", EXECUTE, scope=scope_of(reporter.recording.scope, name), agent=task.agent.role if task.agent else None,
        parents=task_causes(parent, task) if parent is not None and parent.kind == "crew" else None, subject=str(task.id), task=name,
        **reporter.content(input=task.description, expected=task.expected_output, context=event.context),
    )  # fmt: skip


def task_completed(reporter: Reporter, run: Run, event: TaskCompletedEvent, _: Any) -> None:
    task = cast("Task", event.task)
    ended = reporter.end(run, event, "task", subject=str(task.id), task=task_name(task), **reporter.content(output=event.output.raw))
    if ended is not None and ended[0].parent is not None:
        crew, end = ended[0].parent, ended[1]
        crew.ends[str(task.id)] = end
        if not task.async_execution:
            crew.before = (end,)


def task_failed(reporter: Reporter, run: Run, event: TaskFailedEvent, _: Any) -> None:
    error = f"{event.error_type.__name__}: {event.error}" if event.error_type else event.error
    reporter.end(run, event, "task", subject=str(event.task_id), error=error, task=task_name(cast("Task", event.task)))


def task_name(task: Task) -> str:
    """The task's name; for a task without one, its place in its crew, such as `task-2`."""
    if task.name:
        return task.name
    crew = task.agent.crew if task.agent else None
    place = next((place for place, each in enumerate(crew.tasks, 1) if each is task), None) if isinstance(crew, Crew) else None
    return "task" if place is None else f"task-{place}"


def task_causes(crew: Span, task: Task) -> tuple[str, ...]:
    """The ends of the tasks in its context; without a context, the ends of the tasks before it.

    A task that runs in parallel with others follows only from the last task that did not.
    """
    context = task.context if isinstance(task.context, list) else []
    ends = [crew.ends[str(each.id)] for each in context if str(each.id) in crew.ends]
    return tuple(ends) or (crew.before if task.async_execution else crew.last())


def agent_started(reporter: Reporter, run: Run, event: AgentExecutionStartedEvent, _: Any) -> None:
    role = event.agent.role
    reporter.begin(run, event, "agent", role, agent=role, subject=str(event.agent.id), **reporter.content(input=event.task_prompt))


def agent_completed(reporter: Reporter, run: Run, event: AgentExecutionCompletedEvent, _: Any) -> None:
    reporter.end(run, event, "agent", subject=str(event.agent.id), **reporter.content(output=event.output))


def agent_failed(reporter: Reporter, run: Run, event: AgentExecutionErrorEvent, _: Any) -> None:
    reporter.end(run, event, "agent", subject=str(event.agent.id), error=event.error)


def lone_agent_started(reporter: Reporter, run: Run, event: LiteAgentExecutionStartedEvent, _: Any) -> None:
    role = str(event.agent_info.get("role") or "agent")
    subject = str(event.agent_info.get("id") or "")
    reporter.begin(run, event, "agent", role, agent=role, subject=subject, **reporter.content(input=event.messages))


def lone_agent_completed(reporter: Reporter, run: Run, event: LiteAgentExecutionCompletedEvent, _: Any) -> None:
    reporter.end(run, event, "agent", **reporter.content(output=event.output))


def lone_agent_failed(reporter: Reporter, run: Run, event: LiteAgentExecutionErrorEvent, _: Any) -> None:
    reporter.end(run, event, "agent", error=event.error)


def tool_started(reporter: Reporter, run: Run, event: ToolUsageStartedEvent, _: Any) -> None:
    caller = enclosing(run, event)
    if caller is not None:
        caller.tally["tools"] += 1
    reporter.begin(run, event, "tool", event.tool_name, agent=event.agent_role, **reporter.content(input=event.tool_args))


def tool_finished(reporter: Reporter, run: Run, event: ToolUsageFinishedEvent, _: Any) -> None:
    cached = {"from_cache": True} if event.from_cache else {}
    error = None if event.failure is None else event.failure.message or "the tool reported a failure"
    reporter.end(run, event, "tool", error=error, **cached, **reporter.content(output=event.output))


def tool_failed(reporter: Reporter, run: Run, event: ToolUsageErrorEvent, _: Any) -> None:
    reporter.end(run, event, "tool", error=event.error if isinstance(event.error, BaseException) else str(event.error))


def tool_refused(reporter: Reporter, run: Run, event: ToolSelectionErrorEvent | ToolValidateInputErrorEvent, _: Any) -> None:
    """There is no such tool, or its arguments are invalid."""
    caller = enclosing(run, event)
    if caller is not None:
        parents = caller.following()
        failure = reporter.recording.failed(
            event.tool_name or "tool", parents, str(event.error), scope=caller.scope, agent_id=caller.agent, trace_id=run.trace_id
        )  # fmt: skip
        caller.happened(parents, failure)


def guardrail_completed(reporter: Reporter, run: Run, event: LLMGuardrailCompletedEvent, _: Any) -> None:
    checked = enclosing(run, event)
    if checked is None:
        return
    named = event.guardrail_type == "function" and (event.guardrail_name or "").isidentifier()
    failures = {} if event.success else {"failures": [str(event.error)[:1_000]]}
    parents = checked.following()
    test = reporter.recording.checked(
        str(event.guardrail_name) if named else "guardrail", parents, event.success, scope=checked.scope, agent_id=checked.agent,
        trace_id=run.trace_id, attempt=event.retry_count + 1, **failures,
    )  # fmt: skip
    checked.happened(parents, test)


def evaluated(reporter: Reporter, event: AgentEvaluationCompletedEvent) -> None:
    """An evaluator of CrewAI scored an agent, possibly after its run has ended."""
    ended = reporter.ended(event.agent_id) or reporter.ended(event.task_id or "")
    if ended is not None and event.score.score is not None:
        metric = str(getattr(event.metric_category, "value", event.metric_category))
        reporter.score(ended, event.score.score / BEST, agent="evaluator", metric=metric, **reporter.content(reason=event.score.feedback))


def model_called(_reporter: Reporter, run: Run, event: LLMCallCompletedEvent, _: Any) -> None:
    caller = enclosing(run, event)
    if caller is not None:
        caller.tally["llm_calls"] += 1
        caller.tally["tokens"] += int((event.usage or {}).get("total_tokens") or 0)


def model_failed(_reporter: Reporter, run: Run, event: LLMCallFailedEvent, _: Any) -> None:
    caller = enclosing(run, event)
    if caller is not None:
        caller.tally["llm_failures"] += 1


HANDLERS: dict[type[BaseEvent], Callable[[Reporter, Run, Any, Any], None]] = {
    CrewKickoffStartedEvent: crew_started,
    CrewKickoffCompletedEvent: crew_completed,
    CrewKickoffFailedEvent: crew_failed,
    CrewTestStartedEvent: trial_started,
    CrewTestCompletedEvent: trial_completed,
    CrewTestFailedEvent: trial_failed,
    CrewTestResultEvent: trial_result,
    CrewTrainStartedEvent: trial_started,
    CrewTrainCompletedEvent: trial_completed,
    CrewTrainFailedEvent: trial_failed,
    TaskStartedEvent: task_started,
    TaskCompletedEvent: task_completed,
    TaskFailedEvent: task_failed,
    AgentExecutionStartedEvent: agent_started,
    AgentExecutionCompletedEvent: agent_completed,
    AgentExecutionErrorEvent: agent_failed,
    LiteAgentExecutionStartedEvent: lone_agent_started,
    LiteAgentExecutionCompletedEvent: lone_agent_completed,
    LiteAgentExecutionErrorEvent: lone_agent_failed,
    ToolUsageStartedEvent: tool_started,
    ToolUsageFinishedEvent: tool_finished,
    ToolUsageErrorEvent: tool_failed,
    ToolSelectionErrorEvent: tool_refused,
    ToolValidateInputErrorEvent: tool_refused,
    LLMGuardrailCompletedEvent: guardrail_completed,
}
COUNTED: dict[type[BaseEvent], Callable[[Reporter, Run, Any, Any], None]] = {
    LLMCallCompletedEvent: model_called,
    LLMCallFailedEvent: model_failed,
}
"""Events that are taken from the run's record; the connector does not listen to them."""
