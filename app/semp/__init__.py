"""SEL/SEMP: a coordination service for teams of AI agents, on one durable event log in Neo4j."""

__version__ = "0.1.0"
