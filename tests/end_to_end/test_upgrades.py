"""A journal and a directory of an earlier version go on: what was done is known, what was begun can be ended."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from musterroll.pipeline.loader import load_pipeline
from support.earlier import COMPLETED, INTERRUPTED, QUARANTINED, UNDO, UNDONE, write_earlier
from support.workplace import Inside

_HEAD = "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups\ng\n"
_THIRD = _HEAD + "".join(f",user{number},U,,Harbour-Lamp-8{number},,,\n" for number in range(1, 9))
_FOURTH = (
    _HEAD + "fay@example.com,fay,Fay,,Harbour-Lamp-91,,,Region|North\n"
    "gus@example.com,gus,Gus,,Harbour-Lamp-92,,,Region|West\n"
)


@pytest.fixture
def earlier(inside: Inside) -> Inside:
    """The folder in which the earlier version was used. Its sheets and its pipeline are where they were."""
    folder = inside.folder
    inside.pipeline('on_error = "skip"\nlimits.create = 6', name="acme")
    for name, text in (("third", _THIRD), ("fourth", _FOURTH)):
        (folder / f"{name}.csv").write_bytes(text.encode())
    write_earlier("directory", folder / "directory.db")
    is_here = "UPDATE job SET sheet = replace(sheet, '/srv/acme', ?)"
    write_earlier("journal", _journal(folder), (is_here, str(folder)))
    return inside


def _journal(folder: Path) -> Path:
    return folder / ".musterroll" / "acme.journal"


def _is_made_by_this_pipeline(folder: Path) -> None:
    """A digest of the settings is all that the journal has, and later versions have further settings."""
    digest = load_pipeline(folder / "musterroll.toml", external_plugins=False).settings_sha256
    with closing(sqlite3.connect(_journal(folder))) as db:
        db.execute("UPDATE job SET fingerprint = ?", (digest,))
        db.commit()


def test_looking_changes_nothing(earlier: Inside) -> None:
    files = (_journal(earlier.folder), earlier.directory)
    before = [file.read_bytes() for file in files]
    jobs = earlier.json("jobs", "list").document["jobs"]
    assert [(job["id"], job["state"]) for job in jobs] == [
        (INTERRUPTED, "interrupted"),
        (QUARANTINED, "quarantined"),
        (UNDO, "completed"),
        (UNDONE, "undone"),
        (COMPLETED, "completed_with_errors"),
    ]
    shown = earlier.json("jobs", "show", COMPLETED).document
    assert (shown["job"]["counts"]["created"], shown["job"]["counts"]["rejected"]) == (3, 1)
    assert [problem["code"] for problem in shown["problems"]] == ["email.invalid"]
    invites = earlier.json("invites", "list").document["invites"]
    assert {invite["username"]: invite["state"] for invite in invites}["ana"] == "sent"
    assert earlier.json("plan", "fourth.csv").status == 0
    assert [file.read_bytes() for file in files] == before
    assert not list(earlier.folder.rglob("*.bak"))


def test_what_was_begun_goes_on_and_nobody_is_invited_twice(earlier: Inside) -> None:
    _is_made_by_this_pipeline(earlier.folder)
    resumed = earlier.json("jobs", "resume", INTERRUPTED).document
    assert resumed["job"]["invites"] == {"sent": 1, "skipped": 0, "held": 1, "failed": 0}  # gus may have got it
    assert earlier.invites() == []
    copies = {file.name for file in earlier.folder.rglob("*.bak")}
    assert copies == {"acme.journal.v3.bak", "directory.db.v1.bak"}
    again = earlier.json("run", "fourth.csv", "--yes").document
    assert again["job"]["counts"]["unchanged"] == 2
    assert earlier.invites() == []
    assert {file.name for file in earlier.folder.rglob("*.bak")} == copies


def test_what_was_quarantined_can_be_approved(earlier: Inside) -> None:
    _is_made_by_this_pipeline(earlier.folder)
    approved = earlier.json("jobs", "approve", QUARANTINED, "--yes").document
    assert approved["job"]["counts"]["created"] == 8
    assert set(earlier.users()) >= {f"user{number}" for number in range(1, 9)}


def test_what_was_done_can_be_undone(earlier: Inside) -> None:
    undone = earlier.json("jobs", "undo", COMPLETED, "--yes").document
    assert undone["job"]["counts"]["deactivated"] == 3
    users = earlier.users()
    assert [users[name]["active"] for name in ("ana", "bo", "cy", "fay")] == [0, 0, 0, 1]
    assert earlier.json("jobs", "show", COMPLETED).document["job"]["state"] == "partially_undone"  # fay keeps a group
