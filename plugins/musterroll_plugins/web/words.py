"""States, actions and outcomes in words."""

from __future__ import annotations

STATES = {
    "running": "Running",
    "completed": "Completed",
    "completed_with_errors": "Completed with errors",
    "aborted": "Failed: errors in the sheet",
    "quarantined": "Stopped by a limit, waits for approval",
    "paused": "Paused: the portal keeps failing",
    "interrupted": "Interrupted",
    "failed": "Failed",
    "undone": "Undone",
    "partially_undone": "Partially undone",
}
"""The states of a job."""

MARKS = {"completed": "good", "running": "busy", "undone": "plain"}
"""How a state is marked besides its words; every other one needs somebody's attention."""

KINDS = {"run": "User import", "apply": "User import", "undo": "Undo", "invite": "Invites"}
"""The kinds of jobs."""

OUTCOMES = {
    "create": "created",
    "update": "changed",
    "unchanged": "unchanged",
    "deactivate": "deactivated",
    "reactivate": "reactivated",
    "delete": "deleted",
    "ignored": "ignored",
    "rejected": "left out",
    "failed": "failed",
    "unknown": "not known",
    "not_attempted": "not attempted",
    "held": "invite is held",
    "kept": "kept",
}
"""What becomes of a row."""

COUNTS = {
    "rows": "Rows",
    "created": "Created",
    "updated": "Changed",
    "unchanged": "Unchanged",
    "deactivated": "Deactivated",
    "reactivated": "Reactivated",
    "deleted": "Deleted",
    "ignored": "Ignored",
    "rejected": "Left out",
    "failed": "Failed",
    "unknown": "Not known",
    "not_attempted": "Not attempted",
}
"""The counts of a job."""

INVITES = {
    "none": "Nobody",
    "new": "New users",
    "all": "Everybody in the sheet",
    "pending": "Who was never invited",
}
"""Whom invites are sent to."""

REASONS = {
    "heading": "this is its heading",
    "synonym": "others call it so",
    "near": "nearly its heading",
    "content": "by what it holds",
}
"""Why a column is taken for a field."""

WORKS = {
    "check": "Checking the sheet",
    "run": "Importing",
    "resume": "Going on",
    "approve": "Importing, approved",
    "undo": "Taking back",
    "release": "Releasing invites",
    "view": "Reading the job",
    "story": "Reading the row",
    "fixed": "Correcting a copy of the sheet",
    "annotated": "Marking the problems in a copy of the sheet",
}
"""What a worker does."""
