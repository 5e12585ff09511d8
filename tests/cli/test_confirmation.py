from __future__ import annotations

import io
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from musterroll import engine, errors
from musterroll.engine import PlanSummary
from musterroll.journal.change import Action, Change, InviteDecision, PasswordAction
from musterroll_cli import confirmation
from musterroll_cli.confirmation import Confirmation
from musterroll_cli.interruption import orderly_interruption
from musterroll_cli.output.console import Stream
from musterroll_cli.output.progress import StageKeeper

SUMMARY = PlanSummary(
    actions={Action.CREATE: 2, Action.UPDATE: 1, Action.UNCHANGED: 5},
    groups=1,
    groups_to_delete=0,
    memberships=3,
    invites=2,
    rejected=1,
    portal="directory at acme.db",
)


class Typed(io.StringIO):
    """What a person types at a terminal."""

    def isatty(self) -> bool:
        return True


def ask(err: Stream, *, yes: bool = False, needed: bool = False) -> bool:
    return Confirmation(err, StageKeeper(), yes=yes, needed=needed)(SUMMARY)


@pytest.mark.parametrize(
    ("typed", "agreed"),
    [
        ("y\n", True),
        ("YES\n", True),
        ("n\n", False),
        ("\n", False),
        ("", False),
        ("?\n", False),
        ("?\ny\n", True),
    ],
)
def test_a_terminal_is_asked_and_told_what_it_agrees_to(
    typed: str, agreed: bool, terminal: Stream, shown: Callable[[Stream], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Typed(typed))
    assert ask(terminal) is agreed
    for words in ("directory at acme.db", "create 2 users", "update 1 user", "create 1 group", "send 2 invites"):
        assert words in shown(terminal)
    assert "leave out 1 bad row" in shown(terminal)


def test_whatever_is_done_with_users_is_told_before(terminal: Stream, shown: Callable[[Stream], str]) -> None:
    counts = dict(zip(Action, range(2, 2 + len(Action)), strict=True))
    confirmation.show_summary(terminal, replace(SUMMARY, actions=counts))
    for action in set(Action) - {Action.UNCHANGED, Action.IGNORED, Action.REJECTED}:
        assert f"{action} {counts[action]} users" in shown(terminal)
    assert f"ignore {counts[Action.IGNORED]} rows" in shown(terminal)


@pytest.mark.parametrize(("typed", "agreed"), [("ja\n", True), ("J\n", True), ("yes\n", True), ("nein\n", False)])
def test_the_question_is_answered_in_the_language_of_the_person(
    typed: str, agreed: bool, terminal: Stream, shown: Callable[[Stream], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Typed(typed))
    engine.add_catalogues(Path(confirmation.__file__).parent)
    with engine.in_language("de"):
        assert ask(terminal) is agreed
    assert "Fortfahren? Antworten Sie mit ja oder nein" in shown(terminal)


def test_nonsense_is_asked_again_and_details_are_shown(
    terminal: Stream, shown: Callable[[Stream], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Typed("perhaps\nd\nyes\n"))
    change = Change(
        row=3, username="ana", action=Action.CREATE, password=PasswordAction.SET, invite=InviteDecision(send=False)
    )
    assert Confirmation(terminal, StageKeeper(), yes=False, needed=False)(replace(SUMMARY, changes=lambda: [change]))
    text = shown(terminal)
    assert text.count("Go ahead?") == 3
    assert "neither yes nor no" in text
    assert "ana" in text
    assert "password set" in text


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals")
def test_lines_that_were_pasted_before_the_question_are_no_answer(
    terminal: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "r", encoding="utf-8") as keyboard, os.fdopen(ours, "w", encoding="utf-8") as person:
        person.write("y\ny\n")
        person.flush()
        monkeypatch.setattr("sys.stdin", keyboard)
        answer = threading.Timer(0.3, lambda: print("n", file=person, flush=True))
        answer.start()
        assert ask(terminal) is False
        answer.join()


def test_without_a_terminal_nothing_is_asked(
    paper: Stream, shown: Callable[[Stream], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert ask(paper)
    assert shown(paper) == ""


@pytest.mark.parametrize("piped", ["stdin", "stderr"])
def test_a_pipeline_that_wants_an_agreement_is_refused_where_nobody_can_give_it(
    piped: str, paper: Stream, terminal: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n") if piped == "stdin" else Typed("y\n"))
    with pytest.raises(errors.RefusedError, match="--yes"):
        ask(terminal if piped == "stdin" else paper, needed=True)


def test_yes_answers_everybody(paper: Stream, terminal: Stream, shown: Callable[[Stream], str]) -> None:
    assert ask(paper, yes=True, needed=True)
    assert ask(terminal, yes=True)
    assert shown(terminal) == ""


def test_ctrl_c_at_the_question_ends_at_once(terminal: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    class Impatient:
        def isatty(self) -> bool:
            return True

        def fileno(self) -> int:
            raise OSError

        def readline(self) -> str:
            signal.raise_signal(signal.SIGINT)
            return "y\n"

    monkeypatch.setattr("sys.stdin", Impatient())
    cancelled = threading.Event()
    with orderly_interruption(cancelled, notice="once more"), pytest.raises(KeyboardInterrupt):
        ask(terminal)
    assert not cancelled.is_set()
