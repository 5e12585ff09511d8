"""The question before the first write."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress

from musterroll import gettext, gettext_noop, ngettext
from musterroll.engine import Action, PlanSummary
from musterroll.errors import RefusedError
from musterroll_cli.interruption import immediate_interruption
from musterroll_cli.output.console import Stream, Styled
from musterroll_cli.output.progress import StageKeeper
from musterroll_cli.output.text.changes import show_changes
from musterroll_cli.output.text.words import ACTION_STYLES, amount, hand_edit_words, privileged_words


class Confirmation:
    """Asks a terminal; without one, agrees, unless the pipeline wants `--yes`.

    Args:
        err: where the question goes.
        progress: what may be drawn where the question goes.
        yes: answered already.
        needed: `confirm = true` in the pipeline.
    """

    def __init__(self, err: Stream, progress: StageKeeper, *, yes: bool, needed: bool) -> None:
        self._err, self._progress, self._yes, self._needed = err, progress, yes, needed

    @property
    def asks(self) -> bool:
        """Whether there is somebody to ask who has not answered yet."""
        return not self._yes and self._err.is_terminal and _stdin_is_terminal()

    def __call__(self, summary: PlanSummary) -> bool:
        """Whether to go ahead with a plan. See `ask`."""
        return self.ask(lambda stream: show_summary(stream, summary), lambda stream: show_details(stream, summary))

    def ask(self, show: Callable[[Stream], None], details: Callable[[Stream], None] | None = None) -> bool:
        """Whether to go ahead. Whoever answers something else is asked again.

        Args:
            show: says what is going to happen, where somebody is asked.
            details: says it one by one, where that is asked for.

        Raises:
            RefusedError: the pipeline wants an answer, and there is nobody to ask.
        """
        if self._yes:
            return True
        if not self.asks:
            if self._needed:
                raise RefusedError(
                    gettext("this pipeline asks before it writes, and there is nobody to ask; agree with --yes"),
                    code="confirm.needed",
                )
            return True
        with immediate_interruption():  # from before the question on: nobody is too quick for it
            self._progress.pause()
            show(self._err)
            while True:
                self._err.line(
                    gettext("Go ahead? Answer yes or no, or d for details [no]:")
                    if details
                    else gettext("Go ahead? Answer yes or no [no]:")
                )
                _forget_what_was_typed_before()
                answer = _answer()
                if answer in _spellings("yes", gettext("yes")):
                    return True
                if answer in ("", *_spellings("no", gettext("no"))):
                    return False
                if details is not None and answer in ("d", "details"):
                    details(self._err)
                else:
                    self._err.line(gettext("That is neither yes nor no."))


_SUMMARY = {
    Action.CREATE: gettext_noop("create {users}"),
    Action.UPDATE: gettext_noop("update {users}"),
    Action.REACTIVATE: gettext_noop("reactivate {users}"),
    Action.DEACTIVATE: gettext_noop("deactivate {users}"),
    Action.DELETE: gettext_noop("delete {users}"),
}


def _spellings(*words: str) -> tuple[str, ...]:
    """What may be typed for a word: itself, or its first letter. English is understood everywhere."""
    return (*words, *(word[:1] for word in words))


def show_summary(stream: Stream, summary: PlanSummary) -> None:
    """Says what is going to happen, and where."""
    stream.line(gettext("About to write to "), Styled(summary.portal, "bold"), ":")
    for action in (Action.CREATE, Action.UPDATE, Action.REACTIVATE, Action.DEACTIVATE, Action.DELETE):
        if count := summary.actions.get(action, 0):
            stream.line("  ", Styled(gettext(_SUMMARY[action], users=amount(count, "user")), ACTION_STYLES[action]))
    if summary.groups:
        stream.line(gettext("  create {groups}", groups=amount(summary.groups, "group")))
    if summary.groups_to_delete:
        stream.line(
            ngettext(
                "  delete {groups} as far as they are empty",
                "  delete {groups} as far as they are empty",
                summary.groups_to_delete,
                groups=amount(summary.groups_to_delete, "group"),
            )
        )
    if summary.memberships:
        stream.line(gettext("  change {memberships}", memberships=amount(summary.memberships, "membership")))
    for group in summary.privileged:
        stream.line(Styled(gettext("  privileged: {group}", group=privileged_words(group)), "bold yellow"))
    if summary.hand_edits is not None:
        stream.line(Styled(gettext("  changed by hand: {edits}", edits=hand_edit_words(summary.hand_edits)), "yellow"))
    if summary.invites:
        stream.line(gettext("  send {invites}", invites=amount(summary.invites, "invite")))
    if unchanged := summary.actions.get(Action.UNCHANGED, 0):
        stream.line(
            ngettext(
                "  leave {users} as they are",
                "  leave {users} as they are",
                unchanged,
                users=amount(unchanged, "user"),
            )
        )
    if ignored := summary.actions.get(Action.IGNORED, 0):
        stream.line(gettext("  ignore {rows}", rows=amount(ignored, "row")))
    if summary.rejected:
        stream.line(Styled(gettext("  leave out {rows}", rows=amount(summary.rejected, "bad row")), "yellow"))


def show_details(stream: Stream, summary: PlanSummary) -> None:
    """Says what happens to every user."""
    show_changes(stream, summary.changes(), verbose=False, quiet=False)
    stream.gap()


def _stdin_is_terminal() -> bool:
    try:
        return sys.stdin is not None and sys.stdin.isatty()
    except ValueError:  # closed
        return False


def _forget_what_was_typed_before() -> None:
    """Drops what waits at the terminal: lines that were pasted or typed ahead are no answer to this question."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 -- there only

        while msvcrt.kbhit():
            msvcrt.getwch()
    else:
        import termios  # noqa: PLC0415 -- not on Windows

        with suppress(OSError, ValueError, termios.error):
            termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


def _answer() -> str:
    """What the person answers; "" where nobody does any more."""
    try:
        return sys.stdin.readline().strip().lower()
    except UnicodeDecodeError:
        return "?"
