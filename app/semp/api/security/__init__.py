"""Checks in front of every route, WebSocket and `/mcp`: host, origin, principal, and the security headers of answers. See `chain`."""
