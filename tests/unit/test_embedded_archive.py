"""The class archive, with which the embedded database starts faster, is made from the classes that Java has recorded so far."""

from __future__ import annotations

import asyncio
import logging
import subprocess
from pathlib import Path

import pytest
from semp.storage.neo4j.embedded.archive import ClassArchive
from semp.storage.neo4j.embedded.runtime import find_java

JAVA = find_java("2026.08.1")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """The class list that Java recorded in a short run."""
    file = tmp_path / "classes.recorded"
    subprocess.run([JAVA.executable, f"-XX:DumpLoadedClassList={file}", "-version"], check=True, capture_output=True)
    return file


def archive_in(tmp_path: Path) -> tuple[ClassArchive, Path]:
    """An archive in an empty cache, and the file with the Java arguments to make it with."""
    arguments = tmp_path / "java.args"
    arguments.write_text('"-XX:+UseSerialGC"\n')
    (tmp_path / "cache").mkdir()
    return ClassArchive(tmp_path / "cache", "2026.08.1", [], JAVA), arguments


@pytest.mark.parametrize("end", ["", "java/lang/Thr", "java/lang/Thread id", "java/lang/Thread id: 1", "@lambda-proxy java/lang/Thr"])
def test_a_recording_that_ends_within_a_line_makes_an_archive(tmp_path: Path, recording: Path, end: str) -> None:
    archive, arguments = archive_in(tmp_path)
    with recording.open("a") as unfinished:
        unfinished.write(end)
    asyncio.run(archive.make(arguments, recording, delay=0))
    assert archive.file.exists()
    uses = [JAVA.executable, f"@{arguments}", f"-XX:SharedArchiveFile={archive.file}", "-Xshare:on", "-version"]
    subprocess.run(uses, check=True, capture_output=True)


def test_the_reason_why_no_archive_was_made_is_logged(tmp_path: Path, recording: Path, caplog: pytest.LogCaptureFixture) -> None:
    archive, arguments = archive_in(tmp_path)
    recording.write_text("no class list\n")
    with caplog.at_level(logging.INFO):
        asyncio.run(archive.make(arguments, recording, delay=0))
    assert not archive.file.exists()
    assert "(status 1): class list format error" in caplog.text
