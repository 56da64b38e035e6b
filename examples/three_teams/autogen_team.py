"""The AutoGen team. It has one conversation per module that it tries: the mender writes the module, the tester runs its tests."""

from __future__ import annotations

from collections.abc import Sequence

from autogen_agentchat.agents import AssistantAgent, BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.messages import BaseChatMessage, TextMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import CancellationToken
from autogen_ext.models.replay import ReplayChatCompletionClient
from bench import Bench
from script import answer
from semp_sdk.connectors.autogen import TeamRecorder
from semp_sdk.tracing import trace
from start import run

TEAM = "autogen"


class Tester(BaseChatAgent):
    """An agent that runs the tests of a module on the text in the last message, and answers with the result."""

    def __init__(self, bench: Bench, recorder: TeamRecorder, module: str) -> None:
        super().__init__("tester", "Runs tests")
        self._bench = bench
        self._recorder = recorder
        self._module = module

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage,)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        await self._recorder.recording.drained(5)  # the turn's event must be stored first: it is a cause of the results
        failed = await self._bench.check(self._module, messages[-1].to_text())
        result = "fails " + ", ".join(failed) if failed else "passes"
        return Response(chat_message=TextMessage(content=result, source=self.name))

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """There is no state to reset."""


async def work(bench: Bench, url: str, job: str) -> None:
    """Try modules until the whole package is repaired."""
    recorder = TeamRecorder(url, scope=TEAM, trace_id=job)
    while True:
        with trace(job):
            module = await bench.choose()
            if module is None:
                break
            source = bench.sources[module]
            mender = AssistantAgent("mender", model_client=ReplayChatCompletionClient([answer(TEAM, module, source)]))
            team = RoundRobinGroupChat(
                [mender, Tester(bench, recorder, module)], termination_condition=MaxMessageTermination(3), name="pair"
            )
            await recorder.watch(team).run(task=f"Mend this module:\n{source}")
    await recorder.recording.drained(5)


if __name__ == "__main__":
    run(TEAM, work)
