"""Use cases: committing, folding, replaying, live delivery. Storage is reached only through `ports`."""
