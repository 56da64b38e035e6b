"""The version of this package; the SDK and the service are released on their own."""

__version__ = "0.1.0"
