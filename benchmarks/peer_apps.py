"""What a user would build instead: the same two routes with Litestar on PostgreSQL (asyncpg) and on Redis.

Both do the work of an append that the service does: a durable row, its place in five indexes, and, for a reward or a penalty, a signal
that decays. An answer is sent when the row is durable. They do less than the service otherwise: ids of events are not checked for
repeats of their content, causes are not looked up, nothing records what moved a signal, and nobody is told of new events.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import msgspec
from litestar import Litestar, Response, get, post
from redis.asyncio import BlockingConnectionPool, Redis
from semp.domain.events import Draft, Event, NewEvent, draft

DECAY = 0.0001
"""Exponential decay of a signal, per second."""
CONNECTIONS = 32
"""Connections to the database. More make both slower on two cores."""
PAGE = 100


def _row(new: Draft, timestamp: str, position: int) -> Event:
    payload = msgspec.Raw(new.payload.encode())
    return Event(new.id, new.type, new.scope, new.trace_id, new.agent_id, list(new.parent_ids), timestamp, payload, position)


def _change(new: Draft) -> float:
    """By how much the event moves the signal of its scope and action; 0 for types that move none."""
    return {"reward": new.value, "penalty": -new.value}.get(new.type, 0.0)


def _values(new: Draft, timestamp: str) -> tuple[Any, ...]:
    return new.id, new.type, new.scope, new.trace_id, new.agent_id, list(new.parent_ids), timestamp, new.payload


def _json(body: bytes, status: int = 200) -> Response[bytes]:
    return Response(body, status_code=status, media_type="application/json")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# PostgreSQL

POSTGRES = "BENCHMARK_POSTGRES"
"""Environment variable: the folder of the socket of PostgreSQL."""

TABLES = """
CREATE TABLE event (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id uuid NOT NULL UNIQUE, type text NOT NULL, scope text NOT NULL,
  trace_id text NOT NULL, agent_id text NOT NULL, timestamp text NOT NULL, parent_ids text[] NOT NULL, payload text NOT NULL);
CREATE INDEX ON event (type, position);
CREATE INDEX ON event (scope, position);
CREATE INDEX ON event (trace_id, position);
CREATE INDEX ON event (agent_id, position);
CREATE TABLE signal (
  scope text, pattern text, strength double precision NOT NULL, updated timestamptz NOT NULL, PRIMARY KEY (scope, pattern));
"""
INSERT = """
INSERT INTO event (id, type, scope, trace_id, agent_id, parent_ids, timestamp, payload) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING position
"""
INSERT_AND_MOVE = f"""
WITH moved AS (
  INSERT INTO signal (scope, pattern, strength, updated) VALUES ($3, $9, least(1, greatest(0, $10::float8)), now())
  ON CONFLICT (scope, pattern) DO UPDATE SET updated = now(),
    strength = least(1, greatest(0, signal.strength * exp(-{DECAY} * extract(epoch FROM now() - signal.updated)) + $10::float8)))
{INSERT}
"""
COLUMNS = ("id", "type", "scope", "trace_id", "agent_id", "parent_ids", "timestamp", "payload")
NEWEST = f"SELECT {', '.join(COLUMNS)}, position FROM event ORDER BY position DESC LIMIT $1"
BEFORE = f"SELECT {', '.join(COLUMNS)}, position FROM event WHERE position < $2 ORDER BY position DESC LIMIT $1"


def postgres_app() -> Litestar:
    """The routes on PostgreSQL. Its tables must not exist yet, or hold events of an earlier app."""
    pool: Any

    @asynccontextmanager
    async def connected(_: Litestar) -> AsyncGenerator[None]:
        nonlocal pool
        options: dict[str, Any] = {"host": os.environ[POSTGRES], "user": "semp", "database": "postgres"}
        async with asyncpg.create_pool(min_size=CONNECTIONS, max_size=CONNECTIONS, **options) as pool:
            if await pool.fetchval("SELECT to_regclass('event')") is None:
                await pool.execute(TABLES)
            yield

    @post("/api/events")
    async def append(data: NewEvent) -> Response[bytes]:
        new, now = draft(data), _now()
        values = _values(new, now)
        if change := _change(new):
            position = await pool.fetchval(INSERT_AND_MOVE, *values, new.action, change)
        else:
            position = await pool.fetchval(INSERT, *values)
        return _json(msgspec.json.encode(_row(new, now, position)), 201)

    @post("/load")
    async def load(data: list[NewEvent]) -> None:
        now, drafts = _now(), [draft(new) for new in data]
        await pool.copy_records_to_table("event", records=[_values(new, now) for new in drafts], columns=COLUMNS)

    @get("/api/events")
    async def page(limit: int = PAGE, before: int | None = None) -> Response[bytes]:
        found: list[Any] = await (pool.fetch(NEWEST, limit) if before is None else pool.fetch(BEFORE, limit, before))
        rows = [Event(str(row[0]), *row[1:7], payload=msgspec.Raw(row[7].encode()), position=row[8]) for row in found]
        return _json(msgspec.json.encode(rows))

    return Litestar([append, load, page], lifespan=[connected], logging_config=None)


# Redis

REDIS = "BENCHMARK_REDIS"
"""Environment variable: URL of the Redis."""

APPEND = f"""
local id, type, scope, trace, agent, head, tail, pattern, change, now = unpack(ARGV)
if redis.call('HEXISTS', 'ids', id) == 1 then return redis.error_reply('the id exists') end
local position = redis.call('INCR', 'head')
redis.call('HSET', 'ids', id, position)
redis.call('HSET', 'events', position, head .. position .. tail)
redis.call('ZADD', 'type:' .. type, position, id)
redis.call('ZADD', 'scope:' .. scope, position, id)
redis.call('ZADD', 'trace:' .. trace, position, id)
redis.call('ZADD', 'agent:' .. agent, position, id)
if pattern ~= '' then
  local key = 'signal:' .. scope .. ':' .. pattern
  local was = redis.call('HMGET', key, 'strength', 'updated')
  local strength = 0
  if was[1] then strength = tonumber(was[1]) * math.exp(-{DECAY} * (tonumber(now) - tonumber(was[2]))) end
  redis.call('HSET', key, 'strength', tostring(math.min(1, math.max(0, strength + tonumber(change)))), 'updated', now)
end
return position
"""


def redis_app() -> Litestar:
    """The routes on Redis. An append is one Lua script, so that the event, its indexes and the signal change together."""
    redis: Redis

    @asynccontextmanager
    async def connected(_: Litestar) -> AsyncGenerator[None]:
        nonlocal redis, script
        address = urlsplit(os.environ[REDIS])
        pool = BlockingConnectionPool(host=address.hostname, port=address.port, max_connections=CONNECTIONS, timeout=60)
        redis = Redis(connection_pool=pool)
        script = redis.register_script(APPEND)
        yield
        await redis.aclose()
        await pool.aclose()

    script: Any = None

    def arguments(new: Draft, now: str) -> list[Any]:
        encoded = msgspec.json.encode(_row(new, now, 0))
        head, tail = encoded[: -len(b"0}")], b"}"
        change, seconds = _change(new), datetime.now(UTC).timestamp()
        return [new.id, new.type, new.scope, new.trace_id, new.agent_id, head, tail, new.action if change else "", change, seconds]

    @post("/api/events")
    async def append(data: NewEvent) -> Response[bytes]:
        new, now = draft(data), _now()
        position = await script(args=arguments(new, now))
        return _json(msgspec.json.encode(_row(new, now, position)), 201)

    @post("/load")
    async def load(data: list[NewEvent]) -> None:
        now = _now()
        async with redis.pipeline(transaction=False) as pipeline:
            for new in data:
                await script(args=arguments(draft(new), now), client=pipeline)
            await pipeline.execute()

    @get("/api/events")
    async def page(limit: int = PAGE, before: int | None = None) -> Response[bytes]:
        last = int(await redis.get("head") or 0) if before is None else before - 1
        found: list[Any] = await redis.hmget("events", [str(position) for position in range(last, max(0, last - limit), -1)])
        return _json(b"[%b]" % b",".join([event for event in found if event is not None]))

    return Litestar([append, load, page], lifespan=[connected], logging_config=None)
