"""What is said of one change, one problem, and of what is not listed, in every form of a report."""

from __future__ import annotations

from collections import Counter

from musterroll.contract.problems import Problem
from musterroll.contract.terms import term
from musterroll.contract.translation import counted, gettext, gettext_noop
from musterroll.contract.users import group_text
from musterroll.journal.change import Change, HandEdit, PasswordAction, Scalar

_OF_FIELD = {  # by whether it stays
    True: gettext_noop("{field} stays {portal}: changed by hand, was {written}"),
    False: gettext_noop("{field} was changed by hand from {written} to {portal}"),
}
_OF_MEMBERSHIP = {  # by whether the user is a member, and whether it stays so
    (True, True): gettext_noop("stays in {group}: added by hand"),
    (True, False): gettext_noop("was added to {group} by hand"),
    (False, True): gettext_noop("stays out of {group}: taken out by hand"),
    (False, False): gettext_noop("was taken out of {group} by hand"),
}


def value_text(scalar: Scalar) -> str:
    """Returns a field's value as a person reads it; empty where there is none."""
    if isinstance(scalar, bool):
        return gettext("yes") if scalar else gettext("no")
    return scalar or ""


def hand_edit_text(edit: HandEdit, name: str | None = None) -> str:
    """Says what somebody has changed in the portal by hand, and whether it stays.

    Args:
        edit: the hand edit.
        name: what the person calls its field.
    """
    if edit.group is not None:
        return gettext(_OF_MEMBERSHIP[bool(edit.portal), edit.kept], group=group_text(edit.group))
    portal, written = (value_text(value) or gettext("(empty)") for value in (edit.portal, edit.written))
    return gettext(_OF_FIELD[edit.kept], field=name or edit.field, portal=portal, written=written)


def password_text(change: Change) -> str:
    """Says what happens to a password; nothing where it stays as it is."""
    return term(change.password) if change.password in (PasswordAction.SET, PasswordAction.RESET) else ""


def invite_text(change: Change) -> str:
    """Says whether a user is invited, and by what; or why not."""
    if change.invite.send:
        channel = change.invite.channel
        return gettext("by {channel}", channel=term(channel)) if channel else gettext("yes")
    reason = change.invite.reason
    return gettext("no: {reason}", reason=term(reason)) if reason else gettext("no")


def place_text(problem: Problem) -> str:
    """Says where a problem is, e.g. `G17`, `row 17` or `sheet`."""
    if problem.row is None:
        return gettext("sheet")
    return problem.cell or gettext("row {row}", row=problem.row)


def more_text(hidden: Counter[str]) -> str:
    """Says how many more there are than are listed, and of what."""
    told = hidden.most_common(12)
    rest = hidden.total() - sum(count for _, count in told)
    others = [(gettext("others"), rest)] if rest else []
    return gettext(
        "… and {count} more that are not listed here: {names}. A report that ends in .csv lists all.",
        count=counted(hidden.total()),
        names=", ".join(f"{counted(count)} {term(name)}" for name, count in [*told, *others]),
    )
