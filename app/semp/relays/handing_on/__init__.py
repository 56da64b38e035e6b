"""Replicas on one Neo4j hand their submissions on to the one that holds the append lease, over TCP. See docs/decisions/0023."""
