"""Packages of the extra `graph`, imported on first use."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def extra(module: str) -> Any:
    """Import and return the module.

    Raises:
        ImportError: it is not installed; the message says how to install it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(f"{module} is missing; install the SDK with its extra: pip install 'semp-sdk[graph]' ({error})") from error
