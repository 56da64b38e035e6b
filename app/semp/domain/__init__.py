"""Pure values and rules: no I/O, nothing but msgspec."""
