"""Live delivery: the ring of the newest events, and the one loop from catching up to following it."""
