"""The LangGraph team, a graph with a loop: choose a module, mend it, check it, choose again."""

from __future__ import annotations

from typing import TypedDict

from bench import Bench
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, StateGraph
from script import answer
from semp_sdk.connectors.langgraph import here, recorded
from start import run

TEAM = "langgraph"


class State(TypedDict):
    """The state that is passed from node to node."""

    module: str | None
    source: str


async def work(bench: Bench, url: str, job: str) -> None:
    """Run the graph until the whole package is repaired."""

    async def choose(_: State) -> dict[str, str | None]:
        async with here():
            return {"module": await bench.choose()}

    async def mend(state: State) -> dict[str, str]:
        module = str(state["module"])
        scripted = AIMessage(answer(TEAM, module, bench.sources[module]))
        model = GenericFakeChatModel(messages=iter([scripted]))  # stands for any chat model
        return {"source": str((await model.ainvoke(f"Mend this module:\n{bench.sources[module]}")).text)}

    async def check(state: State) -> None:
        async with here():
            await bench.check(str(state["module"]), state["source"])

    graph = StateGraph(State)
    for node in (choose, mend, check):
        graph.add_node(node)
    graph.add_edge(START, "choose")
    graph.add_conditional_edges("choose", lambda state: "mend" if state["module"] else END, ["mend", END])
    graph.add_edge("mend", "check")
    graph.add_edge("check", "choose")
    app = recorded(graph.compile(name="smiths"), url, scope=TEAM, agent_id=TEAM, trace_id=job)
    await app.ainvoke({"module": None, "source": ""}, {"recursion_limit": 1_000})


if __name__ == "__main__":
    run(TEAM, work)
