"""Live delivery: the ring of the newest events, and `Follow`, which catches up from the log and then follows the ring."""
