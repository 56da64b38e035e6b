"""Values and rules, without I/O. It depends on msgspec and uuid_utils alone."""
