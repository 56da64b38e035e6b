"""HTTP and WebSocket: route handlers, their OpenAPI document, and the one mapping from domain errors to HTTP answers."""
