"""Progress. Without a terminal: few plain lines, and none for quick steps. On a terminal: a live line that is removed at the end."""

import io
import re

from semp.storage.neo4j.embedded import Step, StepReporter


class Clock:
    """A clock, in seconds, that only the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_quick_step_prints_nothing() -> None:
    out, clock = io.StringIO(), Clock()
    reporter = StepReporter(out, clock)
    reporter.report(Step("Starting"))
    clock.now += 1.9
    reporter.report(Step("Starting", finished=True))
    assert out.getvalue() == ""


def test_a_long_step_prints_its_progress_every_five_seconds_and_its_end() -> None:
    out, clock = io.StringIO(), Clock()
    reporter = StepReporter(out, clock)
    for done in range(14):
        reporter.report(Step("Downloading", done, 13, finished=done == 13))
        clock.now += 1
    assert out.getvalue().splitlines() == [
        "Downloading: 2 of 13",
        "Downloading: 7 of 13",
        "Downloading: 12 of 13",
        "Downloading: done in 13 s",
    ]


def test_a_step_without_a_total_prints_its_seconds_and_may_be_repeated() -> None:
    out, clock = io.StringIO(), Clock()
    reporter = StepReporter(out, clock)
    for _ in range(2):
        reporter.report(Step("Restarting"))
        clock.now += 3
        reporter.report(Step("Restarting", 3))
        reporter.report(Step("Restarting", finished=True))
    assert out.getvalue().splitlines() == ["Restarting: 3 s so far", "Restarting: done in 3 s"] * 2


def test_on_a_terminal_a_long_step_leaves_one_line() -> None:
    out, clock = Terminal(), Clock()
    with StepReporter(out, clock) as reporter:
        reporter.report(Step("Downloading", 0, 9))
        clock.now += 4
        reporter.report(Step("Downloading", 9, 9, finished=True))
    [kept, rest] = re.sub(r"\x1b\[[?\d]*[a-zA-Z]", "", out.getvalue()).split("\n")
    assert kept.rpartition("\r")[2] == "✓ Downloading 4 s"
    assert rest.rpartition("\r")[2] == ""
