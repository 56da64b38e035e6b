"""HTTP and WebSocket: controllers, the document that describes them, and the one map from domain errors to answers."""
