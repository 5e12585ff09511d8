"""The story of a row for a person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from musterroll import gettext, gettext_noop, term
from musterroll.engine import Action, PasswordAction, RowStory, RuleResult, StoryField, hand_edit_text
from musterroll_cli.output.console import Piece, Stream, Styled
from musterroll_cli.output.escape import shorten
from musterroll_cli.output.tables import Cells, Column, show_table
from musterroll_cli.output.text.words import ACTION_STYLES, by_channel, group_name, local_time, short_path, value

_VERDICTS = {"ok": "green", "warning": "yellow", "error": "red"}
_STATES = {"done": "green", "noop": "green", "failed": "red", "unknown": "red"}
_PASSWORDS = {
    PasswordAction.SET: gettext_noop("the one of the sheet"),
    PasswordAction.RESET: gettext_noop("reset to the one of the sheet"),
    PasswordAction.KEEP: gettext_noop("kept"),
    PasswordAction.NONE: gettext_noop("none"),
}
_FIELDS = (
    Column(gettext_noop("Field")),
    Column(gettext_noop("Cell")),
    Column(gettext_noop("Value"), wraps=True),
    Column(gettext_noop("From")),
    Column(gettext_noop("Typed"), wraps=True),
)


def show_row(stream: Stream, story: RowStory) -> None:
    """Prints the story of a row, from the sheet to the invite."""
    of = gettext(
        " of {path}, job {job}: {user}, ",
        path=short_path(Path(story.sheet.path)),
        job=story.job,
        user=story.username or gettext("(no username)"),
    )
    outcome = Styled(term(story.outcome or "not planned"), "bold")
    stream.line(Styled(gettext("Row {row}", row=story.row), "bold"), of, outcome)
    for note in story.notes:
        stream.line(Styled(gettext("note: "), "yellow"), note)
    _show_fields(stream, story)
    _show_transforms(stream, story)
    _show_made(stream, story)
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
    _heading(stream, gettext("In the sheet"))
    show_table(stream, _FIELDS, map(_field, story.fields), indent=2)
    if story.groups is not None:
        named = ", ".join(map(group_name, story.groups))
        stream.line(
            gettext("  Groups that the row names: {groups}", groups=named)
            if named
            else gettext("  Groups that the row names: none")
        )


def _field(field: StoryField) -> Cells:
    if field.is_secret:
        shown: Piece = Styled(gettext("(given)") if field.is_given else gettext("(blank)"), "dim")
    else:
        shown = shorten(field.value or "") if field.value else Styled(gettext("(empty)"), "dim")
    typed = field.raw if field.raw is not None and field.raw != field.value else ""
    return field.name, field.cell or "", shown, term(field.origin), f'"{shorten(typed)}"' if typed else ""


def _show_transforms(stream: Stream, story: RowStory) -> None:
    if not story.transformed:
        return
    _heading(stream, gettext("Transforms"))
    columns = (Column(), Column(), Column(wraps=True))
    lines = (
        (one.label, one.field, f"{value(one.before or None)} → {value(one.after or None)}") for one in story.transformed
    )
    show_table(stream, columns, lines, indent=2)


def _show_made(stream: Stream, story: RowStory) -> None:
    if story.made_from:
        _heading(stream, gettext("Username made by"))
        forms = gettext(", else ").join(story.made_from)
        stream.line(f"  {forms} → {shorten(story.username)}")


def _show_results(stream: Stream, story: RowStory) -> None:
    if not story.results:
        return
    _heading(stream, gettext("Rules"))
    columns = (Column(), Column(), Column(), Column(wraps=True))
    show_table(stream, columns, (line for verdict in story.results for line in _verdict(verdict, story.row)), indent=2)


def _verdict(verdict: RuleResult, row: int) -> Iterator[Cells]:
    if not verdict.problems:
        yield verdict.rule, Styled("ok", "green"), "", ""
    for number, problem in enumerate(verdict.problems):
        suggestion = f" → {shorten(problem.suggestion)}" if problem.suggestion else ""
        of_another = "" if problem.row == row else gettext("kept out by row {row}: ", row=problem.row)
        yield (
            "" if number else gettext(verdict.rule),
            Styled(term(problem.severity), _VERDICTS[problem.severity]),
            problem.code,
            f"{of_another}{problem.message}{suggestion}",
        )


def _show_plan(stream: Stream, story: RowStory) -> None:
    change = story.change
    if change is None:
        return
    _heading(stream, gettext("Plan"))
    rows: list[Cells] = [(gettext("action"), Styled(term(change.action), ACTION_STYLES[change.action]))]
    for name, difference in change.fields.items():
        before = "" if change.action is Action.CREATE else f"{value(difference.before)} → "
        rows.append((name, (Styled(before, "dim"), value(difference.after))))
    rows += [(gettext("group"), Styled(f"+{group_name(group.path)}", "green")) for group in change.add]
    rows += [(gettext("group"), Styled(f"-{group_name(group.path)}", "red")) for group in change.remove]
    rows += [(gettext("by hand"), Styled(hand_edit_text(edit), "yellow")) for edit in change.hand_edits]
    made = "password" in change.made.fields
    password = gettext("made, and told to nobody but its user") if made else gettext(_PASSWORDS[change.password])
    rows.append((gettext("password"), password))
    invite = change.invite
    by = by_channel(invite.channel) if invite.channel else gettext("yes")
    why_not = term(invite.reason) if invite.reason else gettext("not meant")
    rows.append((gettext("invite"), by if invite.send else gettext("no: {reason}", reason=why_not)))
    show_table(stream, (Column(), Column(wraps=True)), rows, indent=2)


def _show_operations(stream: Stream, story: RowStory) -> None:
    if not story.operations:
        return
    _heading(stream, gettext("Operations"))
    rows = (
        (one.told, Styled(term(one.state), _STATES.get(one.state, "yellow")), one.detail or "")
        for one in story.operations
    )
    show_table(stream, (Column(), Column(), Column(wraps=True)), rows, indent=2)


def _show_invite(stream: Stream, story: RowStory) -> None:
    invite = story.invite
    if invite is None:
        return
    _heading(stream, gettext("Invite"))
    told = gettext("  {state} by {channel}", state=term(invite.state), channel=term(str(invite.channel)))
    if invite.sent:
        sent, expires = local_time(invite.sent), local_time(invite.expires)
        told += gettext(", {sent}, valid until {expires}", sent=sent, expires=expires)
    stream.line(told, f": {term(invite.reason)}" if invite.reason else "")
