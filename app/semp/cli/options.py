"""Command line options that several commands share."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter, validators

Url = Annotated[str, Parameter(env_var="SEMP_URL")]
"""URL of the service."""
DEFAULT_URL = "http://127.0.0.1:5000"
Json = Annotated[bool, Parameter(name="--json", negative="")]
Patience = Annotated[float, Parameter(validator=validators.Number(gte=0, lte=86_400))]
"""Maximum seconds to wait while the service is not available."""
PATIENCE = 60.0
"""Default of Patience, in seconds."""
Position = Annotated[int, Parameter(validator=validators.Number(gte=0, lte=2**62))]
