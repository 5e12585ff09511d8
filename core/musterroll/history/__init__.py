"""What a pipeline has done: its jobs, the story of a row, the ledger of invites.

Looks only, and never waits for a job that is running.
"""

from __future__ import annotations

from musterroll.history.invite_list import InviteList, list_invites
from musterroll.history.past_jobs import job_settings, list_jobs, show_job
from musterroll.history.row_story import RowStory, StoryField, StoryOperation, Verdict, tell_row

__all__ = [
    "InviteList",
    "RowStory",
    "StoryField",
    "StoryOperation",
    "Verdict",
    "job_settings",
    "list_invites",
    "list_jobs",
    "show_job",
    "tell_row",
]
