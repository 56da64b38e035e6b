"""What the service does: commits events, folds signals, replays the log, delivers live. It reaches storage only through `ports`."""
