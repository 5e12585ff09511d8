"""The story of a row for a person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from musterroll.engine import Action, PasswordAction, RowStory, RuleResult, StoryField
from musterroll_cli.output.console import Piece, Stream, Styled
from musterroll_cli.output.escape import shorten
from musterroll_cli.output.tables import Cells, Column, show_table
from musterroll_cli.output.text.words import ACTION_STYLES, group_name, local_time, short_path, value

_VERDICTS = {"ok": "green", "warning": "yellow", "error": "red"}
_STATES = {"done": "green", "noop": "green", "failed": "red", "unknown": "red"}
_PASSWORDS = {
    PasswordAction.SET: "the one of the sheet",
    PasswordAction.RESET: "reset to the one of the sheet",
    PasswordAction.KEEP: "kept",
    PasswordAction.NONE: "none",
}


def show_row(stream: Stream, story: RowStory) -> None:
    """Prints the story of a row, from the sheet to the invite."""
    outcome = (story.outcome or "not planned").replace("_", " ")
    path = short_path(Path(story.sheet.path))
    stream.line(
        Styled(f"Row {story.row}", "bold"),
        f" of {path}, job {story.job}: {story.username or '(no username)'}, ",
        Styled(outcome, "bold"),
    )
    for note in story.notes:
        stream.line(Styled("note: ", "yellow"), note)
    _show_fields(stream, story)
    _show_transforms(stream, story)
    _show_results(stream, story)
    _show_plan(stream, story)
    _show_operations(stream, story)
    _show_invite(stream, story)


def _heading(stream: Stream, text: str) -> None:
    stream.gap()
    stream.line(Styled(text, "bold"))


def _show_fields(stream: Stream, story: RowStory) -> None:
    if story.fields is None:
        return
    _heading(stream, "In the sheet")
    columns = (
        Column("Field"),
        Column("Cell"),
        Column("Value", wraps=True),
        Column("From"),
        Column("Typed", wraps=True),
    )
    show_table(stream, columns, map(_field, story.fields), indent=2)
    if story.groups is not None:
        named = ", ".join(map(group_name, story.groups)) or "none"
        stream.line(f"  Groups that the row names: {named}")


def _field(field: StoryField) -> Cells:
    if field.is_secret:
        shown: Piece = Styled("(given)" if field.is_given else "(blank)", "dim")
    else:
        shown = shorten(field.value or "") if field.value else Styled("(empty)", "dim")
    typed = field.raw if field.raw is not None and field.raw != field.value else ""
    return field.name, field.cell or "", shown, field.origin, f'"{shorten(typed)}"' if typed else ""


def _show_transforms(stream: Stream, story: RowStory) -> None:
    if not story.transformed:
        return
    _heading(stream, "Transforms")
    columns = (Column(), Column(), Column(wraps=True))
    lines = (
        (one.label, one.field, f"{value(one.before or None)} → {value(one.after or None)}") for one in story.transformed
    )
    show_table(stream, columns, lines, indent=2)


def _show_results(stream: Stream, story: RowStory) -> None:
    if not story.results:
        return
    _heading(stream, "Rules")
    columns = (Column(), Column(), Column(), Column(wraps=True))
    show_table(stream, columns, (line for verdict in story.results for line in _verdict(verdict, story.row)), indent=2)


def _verdict(verdict: RuleResult, row: int) -> Iterator[Cells]:
    if not verdict.problems:
        yield verdict.rule, Styled("ok", "green"), "", ""
    for number, problem in enumerate(verdict.problems):
        suggestion = f" → {shorten(problem.suggestion)}" if problem.suggestion else ""
        of_another = "" if problem.row == row else f"kept out by row {problem.row}: "
        yield (
            "" if number else verdict.rule,
            Styled(problem.severity, _VERDICTS[problem.severity]),
            problem.code,
            f"{of_another}{problem.message}{suggestion}",
        )


def _show_plan(stream: Stream, story: RowStory) -> None:
    change = story.change
    if change is None:
        return
    _heading(stream, "Plan")
    rows: list[Cells] = [("action", Styled(change.action, ACTION_STYLES[change.action]))]
    for name, difference in change.fields.items():
        before = "" if change.action is Action.CREATE else f"{value(difference.before)} → "
        rows.append((name, (Styled(before, "dim"), value(difference.after))))
    rows += [("group", Styled(f"+{group_name(group.path)}", "green")) for group in change.add]
    rows += [("group", Styled(f"-{group_name(group.path)}", "red")) for group in change.remove]
    rows.append(("password", _PASSWORDS[change.password]))
    by = f"by {change.invite.channel}" if change.invite.channel else "yes"
    rows.append(("invite", by if change.invite.send else f"no: {change.invite.reason or 'not meant'}"))
    show_table(stream, (Column(), Column(wraps=True)), rows, indent=2)


def _show_operations(stream: Stream, story: RowStory) -> None:
    if not story.operations:
        return
    _heading(stream, "Operations")
    rows = (
        (one.operation, Styled(one.state, _STATES.get(one.state, "yellow")), one.detail or "")
        for one in story.operations
    )
    show_table(stream, (Column(), Column(), Column(wraps=True)), rows, indent=2)


def _show_invite(stream: Stream, story: RowStory) -> None:
    invite = story.invite
    if invite is None:
        return
    _heading(stream, "Invite")
    sent = f", {local_time(invite.sent)}, valid until {local_time(invite.expires)}" if invite.sent else ""
    why = f": {invite.reason}" if invite.reason else ""
    stream.line(f"  {invite.state} by {invite.channel}{sent}{why}")
