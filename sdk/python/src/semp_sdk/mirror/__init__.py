"""The log, or a part of it, as a networkx graph that can be kept current and proved.

Needs the extra `graph` (`pip install 'semp-sdk[graph]'`); its packages are imported when they are first needed. What can be computed on
such a graph is in `semp_sdk.analysis`.
"""

from semp_sdk.mirror.bolt import Bolt
from semp_sdk.mirror.exports import graph_from_graphml
from semp_sdk.mirror.following import Following
from semp_sdk.mirror.mirror import Difference, Mirror
from semp_sdk.mirror.selection import Selection

__all__ = ["Bolt", "Difference", "Following", "Mirror", "Selection", "graph_from_graphml"]
