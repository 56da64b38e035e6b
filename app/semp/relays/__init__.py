"""Messages to other replicas about the log."""
