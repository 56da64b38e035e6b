"""The configuration of Neo4j and its Java: memory sizes for this machine, neo4j.conf, and the arguments of Java."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import EmbeddedNeo4jError

MIB = 1024 * 1024
LOG_FILE = 16 * MIB
"""Bytes of one file of the transaction log. The next file is created in advance."""
CHECKPOINT = 64 * MIB
"""Bytes of the transaction log between two checkpoints. A recovery replays about as much, in seconds; what is older is deleted."""
BLOCK = 64
"""Bytes of a record for texts and lists that are too long for a property record. Short payloads, and a list of one parent, fit into one. A
database keeps the size that it was created with."""
FEW_CORES = 2
"""Up to this number of processors, the serial garbage collector is faster than G1. Measured in docs/decisions/0010."""
TRANSACTIONS = 0.8
"""Part of the heap that all transactions together may use."""
LARGEST_TRANSACTION = 390 * MIB
"""Bytes that one transaction may use, or half of the heap if that is more. An append takes less (`semp.engine.footprint.LIMIT`)."""
_SIZE = re.compile(r"(\d+)([kmg])", re.IGNORECASE)
_UNITS = {"k": 1024, "m": MIB, "g": 1024 * MIB}


def machine_memory() -> int:
    """Bytes of memory that this process may use: the RAM of the machine, or the limit of its control group if that is lower."""
    import psutil

    total = psutil.virtual_memory().total
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(limit).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            total = min(total, int(text))
    return total


def machine_cores() -> int:
    """Number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def parse_size(text: str) -> int:
    """The bytes of a size such as ``512m`` or ``2g``: a whole number and k, m or g.

    Raises:
        EmbeddedNeo4jError: the text is not such a size.
    """
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise EmbeddedNeo4jError(f"{text!r} is not a size: write a whole number and k, m or g, for example 512m")
    return int(match[1]) * _UNITS[match[2].lower()]


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Bytes for the Java heap and for the page cache."""

    heap: int
    page_cache: int

    @classmethod
    def for_machine(cls, total: int, heap: str | None = None, page_cache: str | None = None) -> MemoryPlan:
        """The plan for a machine with `total` bytes of memory.

        Args:
            total: bytes.
            heap: size such as ``512m``; None for 25 % of `total`, at least 512 MiB and at most 2 GiB.
            page_cache: size; None for 20 % of `total`, at least 128 MiB and at most 2 GiB.

        Raises:
            EmbeddedNeo4jError: a size cannot be parsed, or both together exceed `total`: the system would kill Java sooner or later.
        """
        plan = cls(
            parse_size(heap) if heap else _clamp(total // 4, 512 * MIB, 2048 * MIB),
            parse_size(page_cache) if page_cache else _clamp(total // 5, 128 * MIB, 2048 * MIB),
        )
        if plan.heap + plan.page_cache > total:
            raise EmbeddedNeo4jError(
                f"too little memory: Neo4j would take {plan.heap // MIB} MiB heap and {plan.page_cache // MIB} MiB page "
                f"cache, and there are {total // MIB} MiB in all; set smaller sizes, or use --neo4j URI or --memory"
            )
        return plan


def _clamp(value: int, low: int, high: int) -> int:
    """`value` within the bounds, rounded down to whole MiB."""
    return max(low, min(value, high)) // MIB * MIB


def render_conf(version: str, port: int, page_cache: int, heap: int) -> str:
    """The text of neo4j.conf: only Bolt, only on loopback; no telemetry; bounded transaction logs.

    Neo4j always makes a commit durable before it acknowledges it; there is no setting for this.

    Args:
        version: of Neo4j.
        port: of Bolt.
        page_cache: bytes.
        heap: bytes.
    """
    together = int(heap * TRANSACTIONS)
    settings = {
        "server.default_listen_address": "127.0.0.1",
        "server.default_advertised_address": "127.0.0.1",
        "server.bolt.enabled": "true",
        "server.bolt.listen_address": f"127.0.0.1:{port}",
        "server.bolt.advertised_address": f"127.0.0.1:{port}",
        "server.bolt.telemetry.enabled": "false",
        "server.http.enabled": "false",
        "server.https.enabled": "false",
        "dbms.usage_report.enabled": "false",
        "client.allow_telemetry": "false",
        "dbms.security.auth_enabled": "true",
        "server.config.strict_validation.enabled": "true",
        "server.memory.pagecache.size": f"{page_cache // MIB}m",
        # With both, a query that is itself too large is told from one that suffers from others.
        "dbms.memory.transaction.total.max": f"{together // MIB}m",
        "db.memory.transaction.max": f"{min(max(heap // 2, LARGEST_TRANSACTION), together) // MIB}m",
        # How precisely the time limits of queries hold.
        "db.transaction.monitor.check.interval": "250ms",
        # The transaction log is only for recovery. By volume, because a log that grows fast would fill gigabytes between two times.
        "db.tx_log.rotation.size": f"{LOG_FILE // MIB}m",
        "db.tx_log.rotation.retention_policy": "keep_none",
        "db.checkpoint": "VOLUME",
        "db.checkpoint.interval.volume": f"{CHECKPOINT // MIB}m",
        "internal.dbms.block_size.strings": str(BLOCK),
        "internal.dbms.block_size.array_properties": str(BLOCK),
        "db.logs.query.enabled": "OFF",
    }
    # At every stop, Bolt waits twice this time after all databases are closed. By default that is 10 s without any use.
    quiet_period = "internal.dbms.bolt.netty_server_shutdown_quiet_period"
    if version.startswith("5."):
        settings |= {quiet_period: "0"}
    else:
        settings |= {
            f"{quiet_period}_duration": "0s",
            # On by default since 2026: broadcasts on the network, and an offer to connect to a cloud console.
            "server.fleet_discovery.enabled": "false",
            "dbms.fleet_manager.enabled": "false",
        }
    lines = "".join(f"{name}={value}\n" for name, value in settings.items())
    return "# Written at every start of the embedded Neo4j; changes made here are lost.\n" + lines


def java_arguments(jars: Sequence[Path], heap: int, java_major: int, cores: int) -> list[str]:
    """The arguments of Java that come before the main class.

    Args:
        jars: the class path.
        heap: bytes.
        java_major: major version of Java.
        cores: number of processors. With one or two, a concurrent garbage collector takes processor time away from the database.
    """
    opened_packages = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")
    return [
        "-cp",
        ":".join(str(jar) for jar in jars),
        *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in opened_packages),
        "--enable-native-access=ALL-UNNAMED",
        *(["--sun-misc-unsafe-memory-access=allow"] if java_major >= 24 else []),
        f"-Xms{min(heap, 512 * MIB) // MIB}m",
        f"-Xmx{heap // MIB}m",
        "-XX:+UseSerialGC" if cores <= FEW_CORES else "-XX:+UseG1GC",
        # After running out of memory, a server may go on in a broken state. The supervisor restarts it only when it has ended.
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-OmitStackTraceInFastThrow",
        "-XX:-UsePerfData",
        "-Djdk.nio.maxCachedBufferSize=1024",
        "-Dio.netty.tryReflectionSetAccessible=true",
        "-Dio.netty.leakDetection.level=DISABLED",
        "-Dlog4j2.disable.jmx=true",
        "-Dlog4j.layout.jsonTemplate.maxStringLength=32768",
        "-Dfile.encoding=UTF-8",
        "-Djava.awt.headless=true",
    ]


def render_argument_file(arguments: Sequence[str]) -> str:
    """Arguments in the format that Java reads from ``@file``: one for each line, in quotes, with quotes and backslashes escaped."""
    return "".join('"' + a.replace("\\", "\\\\").replace('"', '\\"') + '"\n' for a in arguments)
