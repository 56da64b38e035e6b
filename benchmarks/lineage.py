"""Ancestor counts through REST against the bare query, on a long history with merges and on a ladder of diamonds."""

from __future__ import annotations

import random
import time
import uuid

import httpx
import msgspec

from benchmarks import bare
from benchmarks.report import Report, median
from benchmarks.servers import running

COUNT = "MATCH (e:Event {id: $id})-[:PARENT*]->(a) RETURN count(DISTINCT a) AS count"


def history(size: int, seed: int = 11) -> list[dict[str, object]]:
    """A history like a busy repository's: branches that live for a while, a quarter of the events merges."""
    choose = random.Random(seed)
    tips: list[str] = []
    made: list[dict[str, object]] = []
    for number in range(size):
        event_id = str(uuid.UUID(int=choose.getrandbits(128)))
        parents = choose.sample(tips, 2) if len(tips) > 1 and choose.random() < 0.25 else [choose.choice(tips)] if tips else []
        grows = len(tips) < 40 and choose.random() < 0.3
        tips = [tip for tip in tips if tip not in parents or (grows and tip == parents[0])] + [event_id]
        made.append(event(event_id, parents, number))
    made.append(event(str(uuid.uuid4()), tips, size))
    return made


def ladder(rungs: int) -> list[dict[str, object]]:
    """Diamonds one upon the other: 2 ** rungs paths."""
    made = [event(str(uuid.uuid4()), [], 0)]
    foot = [str(made[0]["id"])]
    for _ in range(rungs):
        pair = [event(str(uuid.uuid4()), foot, 0) for _ in range(2)]
        made += pair
        foot = [str(found["id"]) for found in pair]
    return [*made, event(str(uuid.uuid4()), foot, 0)]


def event(event_id: str, parents: list[str], number: int) -> dict[str, object]:
    return {
        "id": event_id, "type": "ready", "scope": f"history.part{number % 20}", "trace_id": "history", "agent_id": f"agent-{number % 30}",
        "payload": {"status": "committed"}, "parent_ids": parents,
    }  # fmt: skip


def counts(report: Report, size: int = 100_000, rounds: int = 15) -> None:
    """Both sides count the same ancestors, in turn."""
    with running("neo4j") as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client, bare.connect() as driver:
        cases = (
            (f"history of {size:,}", history(size), "at most 1.3"),
            ("ladder of 1,000 diamonds", ladder(1_000), "well under a second"),
        )
        for name, made, bar in cases:
            for start in range(0, len(made), 1_000):
                body = msgspec.json.encode(made[start : start + 1_000])
                client.post(
                    "/api/events/batch?return=minimal", content=body, headers={"content-type": "application/json"}
                ).raise_for_status()
            newest = made[-1]["id"]
            ours: list[float] = []
            theirs: list[float] = []
            count = 0
            for _ in range(rounds + 3):
                began = time.perf_counter()
                count = client.get(f"/api/events/{newest}/ancestors", params={"limit": 0}).json()["count"]
                ours.append(time.perf_counter() - began)
                began = time.perf_counter()
                records, _, _ = driver.execute_query(COUNT, id=newest)
                theirs.append(time.perf_counter() - began)
                assert count == records[0]["count"]
            mine, other = 1000 * median(ours[3:]), 1000 * median(theirs[3:])
            detail = f"{count:,} ancestors: {mine:.1f} ms through REST, {other:.1f} ms bare"
            report.add(f"ancestor count, {name} / bare query", mine / other, bar, detail)
