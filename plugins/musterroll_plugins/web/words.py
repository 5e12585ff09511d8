"""States, actions and outcomes in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from musterroll import Field, gettext_noop
from musterroll.engine import HandEdit, hand_edit_text

STATES = {
    "running": gettext_noop("Running"),
    "completed": gettext_noop("Completed"),
    "completed_with_errors": gettext_noop("Completed with errors"),
    "aborted": gettext_noop("Failed: errors in the sheet"),
    "quarantined": gettext_noop("Stopped by a limit, waits for approval"),
    "paused": gettext_noop("Paused: the portal keeps failing"),
    "interrupted": gettext_noop("Interrupted"),
    "failed": gettext_noop("Failed"),
    "undone": gettext_noop("Undone"),
    "partially_undone": gettext_noop("Partially undone"),
}
"""The states of a job."""

MARKS = {"completed": "good", "running": "busy", "undone": "plain"}
"""How a state is marked besides its words; every other one needs somebody's attention."""

KINDS = {
    "run": gettext_noop("User import"),
    "apply": gettext_noop("User import"),
    "undo": gettext_noop("Undo"),
    "invite": gettext_noop("Invites"),
}
"""The kinds of jobs."""

OUTCOMES = {
    "create": gettext_noop("created"),
    "update": gettext_noop("changed"),
    "unchanged": gettext_noop("unchanged"),
    "deactivate": gettext_noop("deactivated"),
    "reactivate": gettext_noop("reactivated"),
    "delete": gettext_noop("deleted"),
    "ignored": gettext_noop("ignored"),
    "rejected": gettext_noop("left out"),
    "failed": gettext_noop("failed"),
    "unknown": gettext_noop("not known"),
    "not_attempted": gettext_noop("not attempted"),
    "held": gettext_noop("invite is held"),
    "kept": gettext_noop("kept"),
}
"""What becomes of a row."""

COUNTS = {
    "rows": gettext_noop("Rows"),
    "created": gettext_noop("Created"),
    "updated": gettext_noop("Changed"),
    "unchanged": gettext_noop("Unchanged"),
    "deactivated": gettext_noop("Deactivated"),
    "reactivated": gettext_noop("Reactivated"),
    "deleted": gettext_noop("Deleted"),
    "ignored": gettext_noop("Ignored"),
    "rejected": gettext_noop("Left out"),
    "failed": gettext_noop("Failed"),
    "unknown": gettext_noop("Not known"),
    "not_attempted": gettext_noop("Not attempted"),
}
"""The counts of a job."""

INVITES = {
    "none": gettext_noop("Nobody"),
    "new": gettext_noop("New users"),
    "all": gettext_noop("Everybody in the sheet"),
    "pending": gettext_noop("Who was never invited"),
}
"""Whom invites are sent to."""

REASONS = {
    "heading": gettext_noop("this is its heading"),
    "synonym": gettext_noop("others call it so"),
    "near": gettext_noop("nearly its heading"),
    "content": gettext_noop("by what it holds"),
}
"""Why a column is taken for a field."""

WORKS = {
    "check": gettext_noop("Checking the sheet"),
    "run": gettext_noop("Importing"),
    "resume": gettext_noop("Going on"),
    "approve": gettext_noop("Importing, approved"),
    "undo": gettext_noop("Taking back"),
    "release": gettext_noop("Releasing invites"),
    "view": gettext_noop("Reading the job"),
    "story": gettext_noop("Reading the row"),
    "report": gettext_noop("Writing the report"),
    "fixed": gettext_noop("Correcting a copy of the sheet"),
    "annotated": gettext_noop("Marking the problems in a copy of the sheet"),
}
"""What a worker does."""


def why(error: str) -> str:
    """Why a job stopped or would, without the command that helps in a terminal: a page has a button for it."""
    reason, _, advice = error.rpartition("; ")
    return reason if reason and ("`musterroll " in advice or "`run`" in advice) else error


def hand_edit(record: Mapping[str, Any], fields: Mapping[str, Field]) -> str:
    """Says what somebody has changed in the portal by hand.

    Args:
        record: the hand edit as plain data.
        fields: what the person calls the fields.
    """
    edit = HandEdit(**{"group": None, **record})
    return hand_edit_text(edit, fields[edit.field].heading if edit.field in fields else None)
