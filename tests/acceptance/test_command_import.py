"""`semp import`: every event is appended once, counts are exact, and files of other programs are read."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
import zstandard
from semp.cli.import_log import BATCH_BYTES

from tests.conftest import Service
from tests.events import append, head, new_events, write_ndjson
from tests.gateway import DROP, LOSE, Asked, Reply, gateway
from tests.semp_command import assert_one_clear_line, command, semp
from tests.waiting import eventually


def test_import_appends_in_order_and_a_repeat_adds_nothing(service: Service, tmp_path: Path) -> None:
    events = new_events(250)
    for number in range(1, 250):
        events[number]["parent_ids"] = [events[number - 1]["id"]]
    file, before = write_ndjson(tmp_path / "events", events), head(service)
    first = semp("import", str(file), "--url", service.url, "--batch", "40")
    assert first.returncode == 0, first.stderr
    assert "250 events appended, 0 were there already" in first.stderr.decode()
    again = semp("import", str(file), "--url", service.url, "--batch", "33")
    assert "0 events appended, 250 were there already" in again.stderr.decode()
    stored = service.client.get("/api/events", params={"after": before, "order": "asc", "limit": 1000}).json()
    assert [event["id"] for event in stored] == [event["id"] for event in events]


def test_lines_without_an_id_are_appended_once_each_however_often_they_are_imported(service: Service, tmp_path: Path) -> None:
    """Equal lines of a file are different events; the same file imported again adds none."""
    events = [{name: value for name, value in event.items() if name != "id"} for event in new_events(5)]
    file, before = write_ndjson(tmp_path / "events", [*events, events[0], events[0]]), head(service)
    for _ in range(2):
        assert semp("import", str(file), "--url", service.url, "--batch", "2").returncode == 0
        assert head(service) == before + 7


def test_import_reads_standard_input_and_skips_empty_lines(service: Service) -> None:
    before = head(service)
    text = "\n\n" + "\n \n".join(json.dumps(event) for event in new_events(3)) + "\n\n"
    found = semp("import", "-", "--url", service.url, stdin=text.encode())
    assert found.returncode == 0, found.stderr
    assert head(service) == before + 3


def test_an_import_that_was_killed_is_completed_by_repeating_it(service: Service, tmp_path: Path) -> None:
    events, before = new_events(1_500), head(service)
    file = write_ndjson(tmp_path / "events", events)
    line, variables = command("import", str(file), "--url", service.url, "--batch", "5")
    process = subprocess.Popen(line, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    eventually("100 events are appended", lambda: head(service) >= before + 100, 60)
    assert process.poll() is None, "it ended by itself before it could be killed"
    process.kill()
    process.wait(30)
    assert head(service) < before + 1_500
    assert semp("import", str(file), "--url", service.url).returncode == 0
    assert head(service) == before + 1_500
    read = semp("export", "--url", service.url, "--after", str(before)).stdout.decode().splitlines()
    assert [json.loads(text)["id"] for text in read] == [event["id"] for event in events]


@pytest.mark.parametrize("bad", ["{", "[]", "{}}", "\u0000", "[" * 5_000])
def test_a_malformed_line_is_named_and_the_lines_of_batches_before_it_stay(service: Service, bad: str, tmp_path: Path) -> None:
    lines = [json.dumps(event) for event in new_events(5)]
    file, before = tmp_path / "events", head(service)
    file.write_text("\n".join([*lines[:4], "", bad, lines[4]]))
    assert_one_clear_line(semp("import", str(file), "--url", service.url, "--batch", "2"), "line 6")
    assert head(service) == before + 4


def test_a_line_that_is_not_utf_8_is_named(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_bytes(json.dumps(new_events(1)[0]).encode() + b'\n{"type":"\xff"}\n')
    assert_one_clear_line(semp("import", str(file), "--url", service.url), "line 2")


@pytest.mark.parametrize(
    ("change", "words"),
    [({"type": "wish"}, ["type"]), ({"parent_ids": [str(uuid.uuid4())]}, ["parent_ids"]), ({"payload": {}}, ["payload.action"])],
)
def test_a_line_the_service_refuses_is_named(service: Service, change: dict[str, Any], words: list[str], tmp_path: Path) -> None:
    events = new_events(7)
    events[4].update(change)
    lines = [json.dumps(event) for event in events]
    lines.insert(1, "")  # now the number of a line is not the number of its event
    file = tmp_path / "events"
    file.write_text("\n".join(lines))
    assert_one_clear_line(semp("import", str(file), "--url", service.url, "--batch", "3"), "line 6", *words)


@pytest.mark.parametrize("name", ["nowhere.ndjson", "."])
def test_a_file_that_cannot_be_read_is_one_clear_line(service: Service, name: str, tmp_path: Path) -> None:
    assert_one_clear_line(semp("import", str(tmp_path / name), "--url", service.url), str(tmp_path))


# Counts


def unavailable(_: Asked) -> Reply:
    """What the service answers when its database goes away during a commit."""
    body = b'{"message":"the database went away during the commit; the events may be stored"}'
    return Reply(503, body, (("content-type", "application/json"), ("retry-after", "0")))


@pytest.mark.parametrize("how", ["lost answer", "lost request", "503 after the commit", "503 before"])
def test_counts_are_exact_when_a_batch_has_to_be_repeated(memory_service: Service, how: str, tmp_path: Path) -> None:
    """Of 50 events, 17 in the middle of the file are stored already. Every batch has to be sent twice."""
    events = new_events(50)
    append(memory_service, events[10:27])
    failed: set[bytes] = set()

    def once_each(asked: Asked) -> Reply | None:
        if asked.method != "POST" or asked.body in failed:
            return None
        failed.add(asked.body)
        if how == "503 after the commit":
            memory_service.client.post(asked.path, content=asked.body, headers={"content-type": asked.headers["content-type"]})
        return {"lost answer": LOSE, "lost request": DROP}.get(how) or unavailable(asked)

    file, before = write_ndjson(tmp_path / "events", events), head(memory_service)
    with gateway(memory_service.url, once_each) as broken:
        found = semp("import", str(file), "--url", broken.url, "--batch", "8")
        assert found.returncode == 0, found.stderr
        assert b"33 events appended, 17 were there already" in found.stderr
        assert len(failed) == 7
        assert head(memory_service) == before + 33
        failed.clear()
        again = semp("import", str(file), "--url", broken.url, "--batch", "8")
        assert b"0 events appended, 50 were there already" in again.stderr


def test_repeated_ids_in_the_file_are_counted_as_there_already(memory_service: Service, tmp_path: Path) -> None:
    [one, other] = new_events(2)
    file = write_ndjson(tmp_path / "events", [one, one, other, one])
    for batch in ("4", "1"):
        found = semp("import", str(file), "--url", memory_service.url, "--batch", batch)
        expected = b"2 events appended, 2 were there already" if batch == "4" else b"0 events appended, 4 were there already"
        assert expected in found.stderr


def test_an_error_tells_what_was_appended_before_it(memory_service: Service, tmp_path: Path) -> None:
    events = new_events(4)
    append(memory_service, events[:1])
    events[3]["type"] = "wish"
    file = write_ndjson(tmp_path / "events", events)
    found = semp("import", str(file), "--url", memory_service.url, "--batch", "2")
    assert_one_clear_line(found, "line 4", "1 event appended, 1 was there already before that")


def test_an_id_that_another_event_has_is_named_with_its_own_line(memory_service: Service, tmp_path: Path) -> None:
    events = new_events(3)
    append(memory_service, events[2:])
    events[2]["payload"] = {"action": "other"}
    found = semp("import", str(write_ndjson(tmp_path / "events", events)), "--url", memory_service.url)
    assert_one_clear_line(found, "line 3: ", events[2]["id"])


def test_when_the_service_stays_away_the_import_fails_and_tells_what_was_appended(memory_service: Service, tmp_path: Path) -> None:
    file = write_ndjson(tmp_path / "events", new_events(4))
    with gateway(memory_service.url) as broken:

        def unavailable_after_one(asked: Asked) -> Reply | None:
            return unavailable(asked) if sum(one.method == "POST" for one in broken.asked) > 1 else None

        broken.rule = unavailable_after_one
        found = semp("import", str(file), "--url", broken.url, "--batch", "2", "--patience", "0")
        assert_one_clear_line(found, "went away", "2 events appended, 0 were there already before that")
        broken.rule = lambda _: None
        assert b"2 events appended, 2 were there already" in semp("import", str(file), "--url", broken.url).stderr


def test_ctrl_c_tells_what_was_appended_and_that_the_import_can_be_repeated(memory_service: Service, tmp_path: Path) -> None:
    file = write_ndjson(tmp_path / "events", new_events(4))
    reached = threading.Event()

    def held(asked: Asked) -> Reply | None:
        if asked.method == "POST" and sum(one.method == "POST" for one in broken.asked) > 1:
            reached.set()
            return Reply(503, b'{"message":"no"}', (("content-type", "application/json"), ("retry-after", "30")))
        return None

    with gateway(memory_service.url, held) as broken:
        line, variables = command("import", str(file), "--url", broken.url, "--batch", "2")
        with subprocess.Popen(line, env=variables, stderr=subprocess.PIPE) as process:
            assert reached.wait(60)
            assert process.stderr is not None
            assert b"waiting" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            text = process.stderr.read().decode()
            assert process.wait(30) == 130
    assert text.strip() == "stopped: 2 events appended, 0 were there already; run the same import again to continue"


# Sizes


def test_large_events_are_sent_in_batches_that_the_service_accepts(memory_service: Service, tmp_path: Path) -> None:
    """1,000 events of 60 KB: the default number of events of a batch would be too many bytes."""
    before = head(memory_service)
    file = write_ndjson(tmp_path / "events", new_events(1_000, payload={"action": "x", "text": "y" * 60_000}))
    with gateway(memory_service.url) as front:
        found = semp("import", str(file), "--url", front.url)
    assert found.returncode == 0, found.stderr
    assert b"1,000 events appended, 0 were there already" in found.stderr
    assert head(memory_service) == before + 1_000
    assert max(len(asked.body) for asked in front.asked) <= BATCH_BYTES


def test_for_a_gateway_with_a_smaller_limit_batches_become_smaller(memory_service: Service, tmp_path: Path) -> None:
    file = write_ndjson(tmp_path / "events", new_events(20, payload={"action": "x", "text": "y" * 1_000}))
    with gateway(memory_service.url, lambda asked: Reply(413) if len(asked.body) > 5_000 else None) as narrow:
        found = semp("import", str(file), "--url", narrow.url)
        assert b"20 events appended, 0 were there already" in found.stderr
        narrow.rule = lambda asked: Reply(413) if asked.body else None
        assert_one_clear_line(semp("import", str(file), "--url", narrow.url), "413", narrow.url)


@pytest.mark.parametrize("size", [300_000, 2_000_000, 40_000_000])
def test_an_event_that_is_too_large_is_named_with_its_line(memory_service: Service, size: int, tmp_path: Path) -> None:
    small, large = new_events(1), new_events(1, payload={"action": "x", "text": "y" * size})
    file, before = write_ndjson(tmp_path / "events", [*small, *large]), head(memory_service)
    assert_one_clear_line(semp("import", str(file), "--url", memory_service.url, "--batch", "1"), "line 2")
    assert head(memory_service) == before + 1


# Files of other programs


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_files_of_any_encoding_and_line_ending_are_read(
    memory_service: Service, encoding: str, ending: str, last: bool, tmp_path: Path
) -> None:
    """PowerShell writes UTF-16 with a byte order mark, Excel UTF-8 with one. The last line may have no line ending."""
    events = new_events(3, payload={"action": "Größe 日本 🐜"})
    file = tmp_path / "events"
    text = ending.join(["", *[json.dumps(event, ensure_ascii=False) for event in events], " "]).lstrip() if last else ending.join(
        json.dumps(event, ensure_ascii=False) for event in events
    )  # fmt: skip
    file.write_bytes(text.encode(encoding))
    found = semp("import", str(file), "--url", memory_service.url)
    assert b"3 events appended, 0 were there already" in found.stderr, found.stderr
    stored = memory_service.client.get(f"/api/events/{events[2]['id']}").json()
    assert stored["payload"] == {"action": "Größe 日本 🐜"}


def test_byte_order_marks_inside_a_file_are_skipped(memory_service: Service, tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_bytes(b"".join(json.dumps(event).encode("utf-8-sig") + b"\r\n" for event in new_events(3)))
    assert b"3 events appended" in semp("import", str(file), "--url", memory_service.url).stderr


def test_a_line_without_an_id_is_the_same_event_in_every_encoding(memory_service: Service, tmp_path: Path) -> None:
    [event] = new_events(1, scope="encodings")
    text = json.dumps({name: value for name, value in event.items() if name != "id"}) + "\r\n"
    file = tmp_path / "events"
    for encoding, appended in (("utf-8", 1), ("utf-8-sig", 0), ("utf-16", 0)):
        file.write_bytes(text.encode(encoding))
        assert f"{appended} event" in semp("import", str(file), "--url", memory_service.url).stderr.decode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(b"{}\n", mtime=0), "gunzip"),
        (zstandard.compress(b"{}\n" * 100)[:-4], "incomplete"),
        (zstandard.compress(b"{}\n" * 100)[:3], "incomplete"),
        (zstandard.compress(b"{}\n")[:8] + bytes(40), "damaged"),
        ("{}".encode("utf-32"), "UTF-32"),
        (b"\xff\xfe{\x00\x00\xd8", "UTF-16"),
        (b"\x89PNG\r\n", "line 1"),
    ],
)
def test_a_file_that_holds_no_json_lines_is_one_clear_line(memory_service: Service, content: bytes, words: str, tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_bytes(content)
    assert_one_clear_line(semp("import", str(file), "--url", memory_service.url), words)


@pytest.mark.parametrize("content", [b"", b"\n\r\n \n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_a_file_without_events_is_reported_and_no_failure(memory_service: Service, content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_bytes(content)
    found = semp("import", str(file), "--url", memory_service.url)
    assert found.returncode == 0
    assert f"{file} has no events: 0 events appended" in found.stderr.decode()
    assert b"standard input has no events" in semp("import", "-", "--url", memory_service.url, stdin=content).stderr


def test_a_named_pipe_can_be_imported(memory_service: Service, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    line, variables = command("import", str(pipe), "--url", memory_service.url)
    with subprocess.Popen(line, env=variables, stderr=subprocess.PIPE) as process:
        write_ndjson(pipe, new_events(3))
        assert process.wait(60) == 0
        assert process.stderr is not None
        assert b"3 events appended" in process.stderr.read()
