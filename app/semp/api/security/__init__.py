"""What stands before every request and socket, whatever its transport."""
