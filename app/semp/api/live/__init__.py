"""Live delivery over WebSocket and server-sent events."""
