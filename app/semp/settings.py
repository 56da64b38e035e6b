"""All settings. Each is an option of `semp` and an environment variable `SEMP_*`; secrets are environment variables only."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter, validators

from semp.domain.credit import DEFAULT_DEPTH, MAX_DEPTH
from semp.domain.signals import Rules

LISTEN = Group("Listening", sort_key=1)
STORAGE = Group("Storage", sort_key=2)
SIGNALS = Group("Signals", sort_key=3)
TUNING = Group("Tuning", sort_key=4)

_positive = validators.Number(gt=0, lt=float("inf"))


def _split(_type: object, text: str, *, delimiter: str | None = None) -> list[str]:  # noqa: ARG001 - cyclopts passes it
    """The values of an environment variable that can hold several, separated by spaces or commas."""
    return text.replace(",", " ").split()


@Parameter(name="*")
@dataclass(frozen=True)
class DatabaseSettings:
    """Which database to use, for every command that needs one."""

    data: Annotated[Path, Parameter(env_var="SEMP_DATA", group=STORAGE)] = Path(".semp")
    """Directory where the embedded Neo4j stores everything."""
    neo4j: Annotated[str | None, Parameter(env_var="SEMP_NEO4J", group=STORAGE)] = None
    """URI of a Neo4j 5.26 or 2026 to use instead of the embedded one, such as bolt://localhost:7687 or neo4j+s://xxx.databases.neo4j.io.
    User, password and database come from SEMP_NEO4J_USER (default: neo4j), SEMP_NEO4J_PASSWORD and SEMP_NEO4J_DATABASE."""

    @property
    def home(self) -> Path:
        """Directory of the embedded Neo4j."""
        return self.data / "neo4j"


@Parameter(name="*")
@dataclass(frozen=True)
class Settings(DatabaseSettings):
    """All settings of `semp serve`."""

    memory: Annotated[bool, Parameter(env_var="SEMP_MEMORY", group=STORAGE, negative="")] = False
    """Keep everything in memory and lose it at exit; for trying things out."""
    host: Annotated[str, Parameter(env_var="SEMP_HOST", group=LISTEN)] = "127.0.0.1"
    """Address to listen on. There is no access control yet: on any other address than loopback, everyone on that network can write."""
    port: Annotated[int, Parameter(env_var="SEMP_PORT", group=LISTEN, validator=validators.Number(gte=0, lte=65535))] = 5000
    """Port to listen on; 0 for any free one."""
    allowed_host: Annotated[tuple[str, ...], Parameter(env_var="SEMP_ALLOWED_HOST", env_var_split=_split, group=LISTEN, negative="")] = ()
    """Host name that clients may use besides localhost and the address listened on, such as semp.example.com or *.example.com; * for any.
    May be repeated; in the environment variable, separate names by spaces or commas."""
    cors_origin: Annotated[tuple[str, ...], Parameter(env_var="SEMP_CORS_ORIGIN", env_var_split=_split, group=LISTEN, negative="")] = (
        "loopback",
    )
    """Origin of web pages that may use the service besides its own pages, such as https://app.example.com; `loopback` for all pages served
    from the user's own machine (the default), * for any page. May be repeated; any value replaces the default."""
    keep_alive: Annotated[float, Parameter(env_var="SEMP_KEEP_ALIVE", group=LISTEN, validator=_positive)] = 75.0
    """Seconds that an idle connection is kept open. It should be longer than clients keep theirs, so that no client sends on a connection
    that the service is closing."""
    request_timeout: Annotated[float, Parameter(env_var="SEMP_REQUEST_TIMEOUT", group=LISTEN, validator=_positive)] = 20.0
    """Seconds that a client may take for the head of a request, and between two parts of its body; 30 times as long for a whole body."""
    alpha: Annotated[float, Parameter(env_var="SEMP_ALPHA", group=SIGNALS, validator=validators.Number(gte=0, lt=float("inf")))] = 1.2
    """Factor that amplifies rewards, at least 0, for signals created from now on."""
    decay: Annotated[float, Parameter(name="--lambda", env_var="SEMP_LAMBDA", group=SIGNALS, validator=validators.Number(gt=0, lte=1))] = (
        0.95
    )
    """Factor by which one decay interval multiplies a strength, above 0, at most 1, for signals created from now on."""
    decay_interval: Annotated[float, Parameter(env_var="SEMP_DECAY_INTERVAL", group=SIGNALS, validator=_positive)] = 60.0
    """Length of one decay interval in seconds, for signals created from now on."""
    credit_discount: Annotated[
        float, Parameter(env_var="SEMP_CREDIT_DISCOUNT", group=SIGNALS, validator=validators.Number(gte=0, lte=1))
    ] = 0.0
    """Factor, 0 to 1, by which each hop further up discounts a reward or penalty, when its payload has no `credit`; 0: it does not reach
    proposals further up."""
    credit_depth: Annotated[
        int, Parameter(env_var="SEMP_CREDIT_DEPTH", group=SIGNALS, validator=validators.Number(gte=1, lte=MAX_DEPTH))
    ] = DEFAULT_DEPTH
    """Hops that such credit reaches, 1 to 64."""
    sweep_interval: Annotated[float, Parameter(env_var="SEMP_SWEEP_INTERVAL", group=TUNING, validator=_positive)] = 60.0
    """Seconds between deletions of signals that have faded. They change no answer."""
    poll_interval: Annotated[float, Parameter(env_var="SEMP_POLL_INTERVAL", group=TUNING, validator=_positive)] = 1.0
    """Seconds between polls for events that other replicas wrote."""
    patience: Annotated[float, Parameter(env_var="SEMP_PATIENCE", group=TUNING, validator=_positive)] = 30.0
    """Seconds that a request waits for a database that went away during its commit."""
    redis: Annotated[str | None, Parameter(env_var="SEMP_REDIS", group=TUNING)] = None
    """URL of a Redis, such as redis://localhost:6379/0, over which replicas on one Neo4j send each other hints that the log grew. Without
    it they only poll. A password comes from SEMP_REDIS_PASSWORD."""
    replica_address: Annotated[str, Parameter(env_var="SEMP_REPLICA_ADDRESS", group=TUNING)] = "127.0.0.1:0"
    """HOST:PORT where other replicas on the same Neo4j reach this one, with --neo4j: one of them appends, the others hand their events on
    to it. Port 0: any free one. Set it when replicas run on several machines, in a network of their own: the connections are
    authenticated, but not encrypted. 0.0.0.0 listens on all addresses, and others connect to the name of this machine."""
    ping_interval: Annotated[float, Parameter(env_var="SEMP_PING_INTERVAL", group=TUNING, validator=_positive)] = 20.0
    """Seconds between pings on a WebSocket. A client that does not answer a ping within this time is disconnected."""
    heap: Annotated[str | None, Parameter(env_var="SEMP_HEAP", group=TUNING)] = None
    """Heap of the embedded Neo4j, such as 1g; default: depends on the machine's memory."""
    page_cache: Annotated[str | None, Parameter(env_var="SEMP_PAGE_CACHE", group=TUNING)] = None
    """Page cache of the embedded Neo4j, such as 1g; default: depends on the machine's memory."""
    loop_watchdog: Annotated[float | None, Parameter(env_var="SEMP_LOOP_WATCHDOG", group=TUNING, validator=_positive)] = None
    """Seconds, such as 0.02, that anything may hold the event loop before the log names it with its stack; for debugging. Default: nobody
    watches."""
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Parameter(env_var="SEMP_LOG_LEVEL", group=TUNING)] = "info"
    """Lowest level of the log lines that are written to standard error. `debug` also shows lines of libraries."""
    neo4j_version: Annotated[str | None, Parameter(env_var="SEMP_NEO4J_VERSION", group=TUNING)] = None
    """Version of the embedded Neo4j; default: the newest version that this version of semp was tested with."""
    cache: Annotated[Path | None, Parameter(env_var="SEMP_CACHE", group=TUNING)] = None
    """Directory for downloaded files of the embedded Neo4j; default: the user's cache directory."""
    repository: Annotated[str | None, Parameter(env_var="SEMP_REPOSITORY", group=TUNING)] = None
    """URL of a Maven repository mirror to download the embedded Neo4j from."""

    @property
    def rules(self) -> Rules:
        """The signal rules of these settings."""
        return Rules(
            alpha=self.alpha, lambda_=self.decay, interval=self.decay_interval,
            credit_discount=self.credit_discount, credit_depth=self.credit_depth,
        )  # fmt: skip


def redis_password() -> str | None:
    """The value of SEMP_REDIS_PASSWORD, None when it is unset or empty."""
    return os.environ.get("SEMP_REDIS_PASSWORD") or None


@dataclass(frozen=True)
class Credentials:
    """User, password and database for an external Neo4j. Environment variables only: every user of the machine can see a command line."""

    user: str = "neo4j"
    password: str = field(default="", repr=False)
    database: str | None = None

    @classmethod
    def from_environment(cls) -> Credentials:
        """Read SEMP_NEO4J_USER (default: neo4j), SEMP_NEO4J_PASSWORD (default: empty) and SEMP_NEO4J_DATABASE (default: None)."""
        get = os.environ.get
        return cls(get("SEMP_NEO4J_USER") or "neo4j", get("SEMP_NEO4J_PASSWORD", ""), get("SEMP_NEO4J_DATABASE") or None)
