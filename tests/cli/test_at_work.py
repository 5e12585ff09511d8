"""Interruption, progress, logging: what surrounds the engine's work."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable

import pytest

from musterroll_cli.interruption import immediate_interruption, orderly_interruption
from musterroll_cli.output.console import Stream
from musterroll_cli.output.logs import logging_to
from musterroll_cli.output.progress import Bar

Shown = Callable[[Stream], str]


def test_the_first_interrupt_ends_in_order_and_the_second_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    cancelled = threading.Event()
    with orderly_interruption(cancelled, notice="once more and it stops"):
        signal.raise_signal(signal.SIGINT)
        assert cancelled.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    assert "once more" in capfd.readouterr().err


_CTRL_C_WHILE_LOADING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # the tests may run where it is ignored
module = sys.argv.pop(1)
class Person:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Person())
from musterroll_cli.start import main
sys.exit(main())
"""


@pytest.mark.parametrize("module", ["musterroll_cli.commands", "musterroll_cli.session"], ids=["program", "engine"])
@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_an_interrupt_while_the_program_loads_ends_it_as_any_other(module: str, as_json: bool) -> None:
    words = ["validate", "staff.csv", *(["--format", "json"] if as_json else [])]
    command = [sys.executable, "-c", _CTRL_C_WHILE_LOADING, module, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 130
    if as_json:
        assert json.loads(done.stdout)["status"] == "interrupted"
        assert done.stderr == ""
    else:
        assert done.stderr == "error: interrupted\n"


def test_a_question_is_interrupted_at_once() -> None:
    cancelled = threading.Event()
    with orderly_interruption(cancelled, notice="once more and it stops"):
        with pytest.raises(KeyboardInterrupt), immediate_interruption():
            signal.raise_signal(signal.SIGINT)
        assert not cancelled.is_set()
        signal.raise_signal(signal.SIGINT)
        assert cancelled.is_set()


def test_other_threads_can_work_too() -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with orderly_interruption(threading.Event(), notice="once more"), immediate_interruption():
                pass
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not failures


def test_quick_work_draws_no_bar(terminal: Stream, shown: Shown) -> None:
    with Bar(terminal) as bar:
        bar.stage("Reading", 10)
        bar.advance(10)
    assert bar.name == "Reading"
    assert shown(terminal) == ""


def test_long_work_draws_a_bar_that_goes_away_for_a_question(terminal: Stream, shown: Shown) -> None:
    with Bar(terminal, patience=0.01) as bar:
        bar.stage("Reading [bold]\x9b", 10)
        deadline = time.monotonic() + 5
        while "Reading" not in shown(terminal) and time.monotonic() < deadline:
            time.sleep(0.02)
            bar.advance()
        bar.pause()
        length = len(shown(terminal))
        time.sleep(0.15)
        assert len(shown(terminal)) == length
        bar.stage("Writing")
        while "Writing" not in shown(terminal) and time.monotonic() < deadline:
            time.sleep(0.02)
            bar.advance(5)
    text = shown(terminal)
    assert r"Reading [bold]\u009b" in text
    assert "Writing" in text
    assert text.rstrip("\n").endswith("\x1b[2K")  # erased at the end


def test_logs_are_for_those_who_ask(paper: Stream, shown: Shown) -> None:
    ours, theirs = logging.getLogger("musterroll.backend"), logging.getLogger("aiohttp")

    def log() -> str:
        start = len(shown(paper))
        for logger in (ours, theirs):
            logger.debug("details")
            logger.warning("a\x1b[31m warning")
            logger.error("an error")
        return shown(paper)[start:]

    with logging_to(paper, verbose=False, quiet=False):
        text = log()
        assert "details" not in text
        assert r"warning: backend: a\x1b[31m warning" in text
    with logging_to(paper, verbose=True, quiet=False):
        text = log()
        assert text.count("details") == 1  # never what a library sends
    with logging_to(paper, verbose=False, quiet=True):
        assert "warning" not in log()
    root = logging.getLogger()
    assert ours.getEffectiveLevel() == root.level
    assert not any(type(handler).__module__.startswith("musterroll_cli") for handler in root.handlers)


def test_libraries_that_warn_about_themselves_are_not_heard(paper: Stream, shown: Shown) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with logging_to(paper, verbose=False, quiet=False):
            warnings.warn("the workbook has an unknown extension", UserWarning, stacklevel=1)
        assert shown(paper) == ""
