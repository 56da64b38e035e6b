"""Crews whose model is a script: no key, no network."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

from crewai import Agent, Crew, CrewOutput, Task
from crewai.events.types.llm_events import LLMCallType
from crewai.experimental.evaluation import BaseEvaluator, EvaluationScore, MetricCategory
from crewai.llms.base_llm import BaseLLM, llm_call_context

DONE = "Thought: I now can give a great answer\nFinal Answer: done"


def _only_this_machine(connect: Any) -> Any:
    def guarded(self: socket.socket, address: Any) -> Any:
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(f"tests need no network, and {address} is asked for")
        return connect(self, address)

    return guarded


socket.socket.connect = _only_this_machine(socket.socket.connect)  # type: ignore[method-assign]


class Scripted(BaseLLM):
    """Answers from a list, then always that it is done. An exception is raised, a list is calls of tools."""

    model: str = "scripted"  # CrewAI wants it given too, see below
    answers: list[Any] = []  # noqa: RUF012
    calls_tools: bool = False
    delay: float = 0.0

    def __init__(self, **options: Any) -> None:
        super().__init__(model="scripted", **options)

    def call(
        self, messages: Any, tools: Any = None, callbacks: Any = None, available_functions: Any = None, from_task: Any = None,
        from_agent: Any = None, response_model: Any = None,
    ) -> Any:  # fmt: skip
        with llm_call_context():
            self._emit_call_started_event(messages=messages, from_task=from_task, from_agent=from_agent)
            time.sleep(self.delay)
            answer = self.answers.pop(0) if self.answers else DONE
            if isinstance(answer, Exception):
                self._emit_call_failed_event(error=str(answer), from_task=from_task, from_agent=from_agent)
                raise answer
            self._emit_call_completed_event(
                response=str(answer), call_type=LLMCallType.LLM_CALL, from_task=from_task, from_agent=from_agent, usage={"total_tokens": 7}
            )  # fmt: skip
        return answer

    async def acall(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        return self.call(messages, *args, **kwargs)

    def supports_function_calling(self) -> bool:
        return self.calls_tools


def final(text: str) -> str:
    """An agent's last answer."""
    return f"Thought: I now can give a great answer\nFinal Answer: {text}"


def action(tool: str, arguments: str = "{}") -> str:
    """An agent's wish to use a tool."""
    return f"Thought: I need it\nAction: {tool}\nAction Input: {arguments}"


def agent(role: str, *answers: Any, **options: Any) -> Agent:
    """An agent whose model says this."""
    return Agent(role=role, goal="a goal", backstory="a past", llm=Scripted(answers=list(answers)), **options)


def task(name: str | None, who: Agent | None, **options: Any) -> Task:
    """A task of that name."""
    options = {"description": f"do {name}", "expected_output": "something", **options}
    return Task(name=name, agent=who, **options)


def crew(*tasks: Task, **options: Any) -> Crew:
    """A crew of the agents that the tasks name."""
    agents = options.pop("agents", None) or list({id(each.agent): each.agent for each in tasks if each.agent}.values())
    return Crew(agents=agents, tasks=list(tasks), **options)


def output_of(run: Crew) -> str:
    """Run the crew: what it answers."""
    answer = run.kickoff()
    assert isinstance(answer, CrewOutput)
    return answer.raw


class Judge(BaseEvaluator):
    """Scores every agent 7 of 10."""

    @property
    def metric_category(self) -> MetricCategory:
        return MetricCategory.GOAL_ALIGNMENT

    def evaluate(self, agent: Any, execution_trace: Any, final_output: Any, task: Any = None) -> EvaluationScore:
        return EvaluationScore(score=7.0, feedback="a secret opinion")


class Together:
    """A tool's body that returns once `parties` of its calls are under way."""

    def __init__(self, parties: int) -> None:
        self._barrier = threading.Barrier(parties, timeout=20)

    def __call__(self) -> None:
        self._barrier.wait()
