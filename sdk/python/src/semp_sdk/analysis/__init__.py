"""Analyses of a mirror's graph: influence, rewards, bottlenecks, rework, unanswered proposals, similar traces.

They run in the client, because they need the whole graph in memory. The service only serves the pages of the mirror; an analysis works on
any part of the log and can be repeated on the same state.

Every function takes the graph of a `semp_sdk.mirror.Mirror` (`mirror.graph`) and returns a list of named tuples, a table that
`pandas.DataFrame(rows)` accepts. When the mirror is a part of the log, the answer is about that part. In complexities, V is the number of
events and E the number of edges. Needs the extra `graph`.
"""

from semp_sdk.analysis.agents import Flow, Influence, influence, reward_flow
from semp_sdk.analysis.traces import Likeness, similarity
from semp_sdk.analysis.workflow import Bottleneck, Rework, Unanswered, bottlenecks, rework, unanswered

__all__ = [
    "Bottleneck",
    "Flow",
    "Influence",
    "Likeness",
    "Rework",
    "Unanswered",
    "bottlenecks",
    "influence",
    "reward_flow",
    "rework",
    "similarity",
    "unanswered",
]
