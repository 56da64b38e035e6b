"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter, validators

Url = Annotated[str, Parameter(env_var="SEMP_URL")]
"""Where the service is."""
HERE = "http://127.0.0.1:5000"
Json = Annotated[bool, Parameter(name="--json", negative="")]
Patience = Annotated[float, Parameter(validator=validators.Number(gte=0, lte=86_400))]
"""Seconds."""
PATIENCE = 60.0
Position = Annotated[int, Parameter(validator=validators.Number(gte=0, lte=2**62))]
