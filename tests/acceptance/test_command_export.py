"""`semp export`: it writes the whole log or fails, to a file, a device or a pipe."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import stat
import subprocess
import threading
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import zstandard

from tests.conftest import Service
from tests.events import append, head, new_event, new_events
from tests.gateway import LOSE, Asked, Reply, gateway
from tests.semp_command import assert_one_clear_line, command, semp


def test_export_writes_the_log_oldest_first_and_importing_it_again_adds_nothing(service: Service, tmp_path: Path) -> None:
    parents = new_events(3, payload={"action": "Größe 日本", "n": [1.5, None, {"a": "\u2028"}]})
    child = [new_event("ready", None, *parents)]
    append(service, parents + child)
    file = tmp_path / "log.ndjson"
    found = semp("export", "--output", str(file), "--url", service.url)
    assert found.returncode == 0
    assert found.stdout == b""
    lines = [json.loads(line) for line in file.read_text("utf-8").split("\n") if line]
    assert [event["position"] for event in lines] == list(range(1, head(service) + 1))
    assert f"{len(lines)} events written" in found.stderr.decode()
    assert lines[-4:] == service.client.get("/api/events", params={"order": "asc", "after": len(lines) - 4}).json()
    before = head(service)
    again = semp("import", str(file), "--url", service.url)
    assert again.returncode == 0
    assert f"0 events appended, {len(lines)} were there already" in again.stderr.decode()
    assert head(service) == before


def test_a_name_that_ends_in_zst_is_written_compressed_and_imported_again(service: Service, tmp_path: Path) -> None:
    append(service, new_events(1_500))
    plain, packed, whole = tmp_path / "log.ndjson", tmp_path / "log.ndjson.zst", head(service)
    for file in (plain, packed):
        assert semp("export", "--output", str(file), "--url", service.url).returncode == 0
    assert zstandard.ZstdDecompressor().decompressobj().decompress(packed.read_bytes()) == plain.read_bytes()
    assert packed.stat().st_size < plain.stat().st_size / 4
    again = semp("import", str(packed), "--url", service.url)
    assert again.returncode == 0
    assert f"0 events appended, {whole:,} were there already" in again.stderr.decode()
    piped = semp("import", "-", "--url", service.url, stdin=packed.read_bytes())
    assert f"0 events appended, {whole:,} were there already" in piped.stderr.decode()


def test_export_without_a_file_goes_to_standard_output_and_after_names_its_begin(service: Service) -> None:
    append(service, new_events(1_100))
    last = head(service)
    whole = semp("export", "--url", service.url).stdout.splitlines()
    assert len(whole) == last
    assert semp("export", "--url", service.url, "--after", str(last - 2)).stdout.splitlines() == whole[-2:]
    assert semp("export", "--url", service.url, "--after", str(last)).stdout == b""


def test_a_file_that_cannot_be_written_is_one_clear_line(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "no" / "such" / "directory"
    assert_one_clear_line(semp("export", "--output", str(file), "--url", service.url), str(file))


def test_a_reader_of_the_output_that_closes_early_causes_no_traceback(service: Service) -> None:
    append(service, new_events(2_000))
    line, variables = command("export", "--url", service.url)
    process = subprocess.Popen(line, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    text = process.stderr.read().decode()
    process.stderr.close()
    process.wait(60)
    assert "Traceback" not in text
    assert "Exception" not in text


OLD = b'{"a good":"backup"}\n'


def backup(directory: Path) -> Path:
    """Write an earlier backup into the directory; its path."""
    file = directory / "backup.ndjson"
    file.write_bytes(OLD)
    return file


def assert_untouched(file: Path) -> None:
    """The earlier backup is unchanged, and no other file is beside it."""
    assert file.read_bytes() == OLD
    assert [found.name for found in file.parent.iterdir()] == [file.name]


def unavailable(retry_after: str = "0") -> Reply:
    """What the service answers while its database is away."""
    headers = (("content-type", "application/json"), ("retry-after", retry_after))
    return Reply(503, b'{"message":"the database is not available"}', headers)


@pytest.fixture(scope="module")
def filled(memory_service: Service) -> Service:
    """A service whose log has 2,700 events."""
    append(memory_service, new_events(2_700))
    return memory_service


def positions(file: Path) -> list[int]:
    """The positions of the events in a file."""
    return [json.loads(line)["position"] for line in file.read_text("utf-8").split("\n") if line]


def test_while_the_database_is_away_the_export_fails_and_the_old_file_stays(filled: Service, tmp_path: Path) -> None:
    file = backup(tmp_path)
    with gateway(filled.url, lambda _: unavailable()) as broken:
        found = semp("export", "--output", str(file), "--url", broken.url, "--patience", "0")
    assert_one_clear_line(found, "the database is not available", broken.url)
    assert_untouched(file)


def test_after_a_503_in_the_middle_the_export_waits_and_completes(filled: Service, tmp_path: Path) -> None:
    refused: set[str] = set()

    def once_each(asked: Asked) -> Reply | None:
        """Each page is refused the first time, alternately as the service and as a gateway would."""
        if asked.path in refused or not asked.path.startswith("/api/events"):
            return None
        refused.add(asked.path)
        return unavailable() if len(refused) % 2 else Reply(502, headers=(("content-type", "text/html"), ("retry-after", "0")))

    file = backup(tmp_path)
    with gateway(filled.url, once_each) as broken:
        found = semp("export", "--output", str(file), "--url", broken.url)
    assert found.returncode == 0, found.stderr
    assert len(refused) == 3
    assert b"waiting for the service" in found.stderr
    assert positions(file) == list(range(1, 2_701))
    assert b"2,700 events written" in found.stderr


def test_each_page_of_an_export_is_asked_for_once_after_the_last_position_of_the_page_before(filled: Service, tmp_path: Path) -> None:
    """So the export is linear in the number of events: no page is read twice, and none is asked for by an offset."""
    with gateway(filled.url) as front:
        found = semp("export", "--output", str(tmp_path / "log.ndjson"), "--url", front.url)
    assert found.returncode == 0, found.stderr
    pages = [dict(parse_qsl(urlsplit(asked.path).query)) for asked in front.asked if asked.path.startswith("/api/events")]
    assert pages == [{"order": "asc", "after": after, "before": "2701", "limit": "1000"} for after in ("0", "1000", "2000")]


@pytest.mark.parametrize("way", ["unavailable", "html", "lost", "gap", "short", "other epoch"])
def test_a_failure_in_the_middle_fails_the_export_and_the_old_file_stays(filled: Service, way: str, tmp_path: Path) -> None:
    ready = json.dumps({"status": "ok", "epoch": "another", "position": 2_700}).encode()

    def broken_later(asked: Asked) -> Reply | None:
        if way == "other epoch":
            again = sum(one.path == asked.path for one in front.asked) > 1
            return Reply(200, ready, (("content-type", "application/json"),)) if again and "ready" in asked.path else None
        if "after=1000" not in asked.path:
            return None
        page = filled.client.get("/api/events", params={"order": "asc", "after": 1000 + (way == "gap"), "limit": 1000 - (way == "short")})
        return {
            "unavailable": unavailable(), "html": Reply(403), "lost": LOSE,
            "gap": Reply(200, page.content, (("content-type", "application/json"),)),
            "short": Reply(200, page.content, (("content-type", "application/json"),)),
        }[way]  # fmt: skip

    file = backup(tmp_path)
    with gateway(filled.url, broken_later) as front:
        found = semp("export", "--output", str(file), "--url", front.url, "--patience", "0")
    words = {
        "unavailable": "not available", "html": "403", "lost": "no answer", "gap": "left out", "short": "left out",
        "other epoch": "replaced",
    }  # fmt: skip
    assert_one_clear_line(found, words[way])
    assert_untouched(file)


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_middle_leaves_the_old_file_and_nothing_beside_it(
    filled: Service, how: signal.Signals, code: int, tmp_path: Path
) -> None:
    reached = threading.Event()

    def held(asked: Asked) -> Reply | None:
        if "after=1000" in asked.path:
            reached.set()
            return unavailable("30")
        return None

    file = backup(tmp_path)
    with gateway(filled.url, held) as front:
        line, variables = command("export", "--output", str(file), "--url", front.url)
        with subprocess.Popen(line, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert reached.wait(60)
            assert process.stderr is not None
            assert b"waiting" in process.stderr.readline()
            assert len(list(tmp_path.iterdir())) == 2, "the new file is written beside the old one"
            process.send_signal(how)
            text = process.stderr.read()
            assert process.wait(30) == code
    assert b"Traceback" not in text
    assert_untouched(file)


def test_a_file_that_grows_too_large_is_named_and_the_old_file_stays(filled: Service, tmp_path: Path) -> None:
    file = backup(tmp_path)
    line, variables = command("export", "--output", str(file), "--url", filled.url)
    limited = f"ulimit -f 64; exec {shlex.join(line)}"
    found = subprocess.run(["bash", "-c", limited], env=variables, capture_output=True, timeout=60, check=False)
    assert_one_clear_line(found, str(file), "large")
    assert_untouched(file)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("arguments", [["--output", "/dev/full"], ["--output", "-"], []], ids=" ".join)
def test_a_full_device_is_an_error_and_no_count_is_printed(filled: Service, arguments: list[str]) -> None:
    line, variables = command("export", *arguments, "--url", filled.url)
    with Path("/dev/full").open("wb") as full:
        found = subprocess.run(line, env=variables, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    assert found.returncode == 1
    text = found.stderr.decode()
    assert len(text.splitlines()) == 1, text
    assert "No space left" in text
    assert "written" not in text


def test_a_symbolic_link_stays_and_its_target_is_replaced_and_keeps_its_mode(filled: Service, tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_bytes(OLD)
    real.chmod(0o640)
    link.symlink_to("real")
    assert semp("export", "--output", str(link), "--url", filled.url, "--after", "2699").returncode == 0
    assert link.is_symlink()
    assert positions(real) == [2_700]
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_a_directory_is_refused_as_output(filled: Service, tmp_path: Path) -> None:
    assert_one_clear_line(semp("export", "--output", str(tmp_path), "--url", filled.url), str(tmp_path), "directory")


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root may write everywhere")
@pytest.mark.parametrize("locked", ["file", "directory"])
def test_a_write_protected_file_or_directory_is_an_error_and_the_file_stays(filled: Service, locked: str, tmp_path: Path) -> None:
    directory = tmp_path / "directory"
    directory.mkdir()
    file = backup(directory)
    (file if locked == "file" else directory).chmod(0o444 if locked == "file" else 0o555)
    line, variables = command("export", "--output", str(file), "--url", filled.url)
    if os.geteuid() == 0:
        line = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--", *line]
    found = subprocess.run(line, env=variables, capture_output=True, timeout=60, check=False)
    directory.chmod(0o755)
    assert_one_clear_line(found, str(file))
    assert_untouched(file)


def test_a_named_pipe_is_written_to_directly(filled: Service, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    line, variables = command("export", "--output", str(pipe), "--url", filled.url)
    with subprocess.Popen(line, env=variables, stderr=subprocess.PIPE) as process:
        with pipe.open("rb") as reader:
            lines = reader.read().splitlines()
        assert process.wait(60) == 0
    assert len(lines) == 2_700
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_by_any_of_its_names_keeps_the_append_mode_of_the_shell(filled: Service, name: str, tmp_path: Path) -> None:
    if name.startswith("/proc") and not Path("/proc/self/fd").exists():
        pytest.skip("only Linux has /proc")
    file = backup(tmp_path)
    line, variables = command("export", "--output", name, "--url", filled.url, "--after", "2699")
    with file.open("ab") as appended:
        found = subprocess.run(line, env=variables, stdout=appended, stderr=subprocess.PIPE, timeout=60, check=False)
    assert found.returncode == 0, found.stderr
    first, second = file.read_bytes().splitlines()
    assert first == OLD.strip()
    assert json.loads(second)["position"] == 2_700


def test_an_empty_log_is_reported_and_an_old_backup_stays(empty_service: Service, tmp_path: Path) -> None:
    new, old = tmp_path / "new" / "log", backup(tmp_path)
    new.parent.mkdir()
    for file in (new, old):
        found = semp("export", "--output", str(file), "--url", empty_service.url)
        assert found.returncode == 0
        assert b"the log is empty: 0 events written" in found.stderr
    assert new.read_bytes() == b""
    assert old.read_bytes() == OLD
    assert semp("export", "--url", empty_service.url).stdout == b""


def test_a_position_beyond_the_end_is_answered_with_the_newest(filled: Service) -> None:
    found = semp("export", "--url", filled.url, "--after", "99999")
    assert (found.returncode, found.stdout) == (0, b"")
    assert b"the newest is 2700" in found.stderr
