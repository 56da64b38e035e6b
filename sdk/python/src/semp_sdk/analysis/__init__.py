"""What teams want to know, computed on a mirror's graph.

It is here and not in the service since it needs the graph in memory, and a mirror is where that is: it costs the service nothing but
the pages of the mirror, works on any part of the log, and may be repeated on the same state.

Every function takes the graph of a `semp_sdk.mirror.Mirror` (`mirror.graph`) and gives a list of named tuples: a table, which
`pandas.DataFrame(rows)` takes as it is. Where the mirror is a part of the log, the answer is about that part. V is the number of events,
E that of edges. Needs the extra `graph`.
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
