"""`semp export` to a name that ends in `.parquet`: the values of the NDJSON export in typed columns, complete or not there."""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from semp.cli import parquet as written

from tests.conftest import Service
from tests.events import append, head, new_event, new_events
from tests.gateway import Asked, Reply, gateway
from tests.semp_command import assert_one_clear_line, command, semp

OLD = b"an older file"
arrow, parquet = written.library()


def exported(service: Service, file: Path, *options: str) -> list[dict[str, Any]]:
    """The rows that an export to this file has written."""
    found = semp("export", "--output", str(file), "--url", service.url, *options)
    assert found.returncode == 0, found.stderr
    return parquet.read_table(file).to_pylist()


def test_a_name_that_ends_in_parquet_has_the_values_of_the_ndjson_export(service: Service, tmp_path: Path) -> None:
    parents = new_events(1_200, payload={"action": "Größe 日本", "n": [1.5, None, {"a": "\u2028"}]})
    append(service, [*parents, new_event("ready", None, *parents[:3])])
    lines = semp("export", "--url", service.url).stdout.splitlines()
    events = [msgspec.json.decode(line, type=dict[str, msgspec.Raw]) for line in lines]
    rows = exported(service, tmp_path / "log.parquet")
    assert len(rows) == head(service)
    for event, row in zip(events, rows, strict=True):
        assert row.keys() == event.keys()
        assert row.pop("payload") == bytes(event.pop("payload")).decode()
        assert row.pop("timestamp") == datetime.fromisoformat(json.loads(bytes(event.pop("timestamp"))))
        assert row == {name: json.loads(bytes(value)) for name, value in event.items()}


def test_the_columns_are_typed_and_never_null(service: Service, tmp_path: Path) -> None:
    append(service, new_events(1))
    rows = exported(service, tmp_path / "log.parquet", "--after", str(head(service) - 1))
    columns = parquet.read_schema(tmp_path / "log.parquet")
    assert [row["position"] for row in rows] == [head(service)]
    assert rows[0]["timestamp"].tzinfo is not None
    assert rows[0]["timestamp"].astimezone(UTC) <= datetime.now(UTC)
    assert not any(column.nullable for column in columns)
    assert {column.name: column.type for column in columns} == {
        "position": arrow.int64(),
        "timestamp": arrow.timestamp("ms", tz="UTC"),
        **dict.fromkeys(("type", "scope", "agent_id", "trace_id", "id", "payload"), arrow.string()),
        "parent_ids": arrow.list_(arrow.field("element", arrow.string(), nullable=False)),
    }


@pytest.mark.parametrize(("events", "size", "groups"), [(100_001, 10, [50_000, 50_000, 1]), (100, 1024 * 1024, [32, 32, 32, 4])])
def test_events_are_written_in_row_groups_bounded_by_number_and_by_bytes(events: int, size: int, groups: list[int]) -> None:
    """What waits to be written is never more than one row group, so memory stays flat."""
    event: dict[str, object] = {
        "timestamp": "2025-01-15T10:30:00.123Z",
        **dict.fromkeys(("type", "scope", "agent_id", "trace_id", "id"), "x"),
    }
    stream = io.BytesIO()
    payload = msgspec.Raw(b'"%b"' % (b"x" * size))
    with written.parquet_writer(stream) as write:
        for start in range(1, events + 1, 1_000):
            positions = range(start, min(start + 1_000, events + 1))
            event |= {"parent_ids": [], "payload": payload}
            write([msgspec.Raw(msgspec.json.encode({**event, "position": position})) for position in positions])
    found = parquet.ParquetFile(stream)
    assert [found.metadata.row_group(number).num_rows for number in range(found.num_row_groups)] == groups
    assert found.read(["position"])["position"].to_pylist() == list(range(1, events + 1))


def test_an_empty_log_gives_a_file_with_columns_and_without_rows(empty_service: Service, tmp_path: Path) -> None:
    assert exported(empty_service, tmp_path / "log.parquet") == []
    assert parquet.read_schema(tmp_path / "log.parquet").names[0] == "position"


def test_a_failure_in_the_middle_leaves_the_old_file(memory_service: Service, tmp_path: Path) -> None:
    append(memory_service, new_events(1_500))
    file = tmp_path / "log.parquet"
    file.write_bytes(OLD)

    def away_later(asked: Asked) -> Reply | None:
        return Reply(503) if "after=1000" in asked.path else None

    with gateway(memory_service.url, away_later) as front:
        found = semp("export", "--output", str(file), "--url", front.url, "--patience", "0")
    assert_one_clear_line(found, "503")
    line, variables = command("export", "--output", str(file), "--url", memory_service.url)
    limited = f"ulimit -f 8; exec {shlex.join(line)}"
    assert_one_clear_line(subprocess.run(["bash", "-c", limited], env=variables, capture_output=True, timeout=60, check=False), "large")
    assert file.read_bytes() == OLD
    assert [found.name for found in tmp_path.iterdir()] == [file.name]


def test_what_is_not_a_regular_file_is_refused(memory_service: Service, tmp_path: Path) -> None:
    """A reader of Parquet begins at its end, and a pipe cannot be undone after a failure."""
    pipe = tmp_path / "pipe.parquet"
    os.mkfifo(pipe)
    assert_one_clear_line(semp("export", "--output", str(pipe), "--url", memory_service.url), str(pipe), "regular file")


def test_without_pyarrow_the_message_names_the_extra(memory_service: Service, tmp_path: Path) -> None:
    (tmp_path / "pyarrow.py").write_text("raise ImportError('No module named pyarrow')\n")
    environment = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    file = tmp_path / "log.parquet"
    found = semp("export", "--output", str(file), "--url", memory_service.url, environment=environment)
    assert_one_clear_line(found, "pip install 'sel-semp[parquet]'")
    assert not file.exists()
