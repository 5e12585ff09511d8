"""The ledger of invites, the story of a row, and forgetting jobs, by the commands that people type."""

from __future__ import annotations

import re

import pytest

from support.rosters import write_csv
from support.workplace import Inside

PASSWORD = "Xk9-Sesame-7c1f"
ANA = ["ana@example.com", "ana", "Ana", "Silva", PASSWORD, "44", "7712345678", "Region|North"]
BO = ["bo@example.com", "bo", "Bo", "", PASSWORD, "", "", ""]
OFF = '[invites]\nsend_to = "none"'
SILENT = """
from musterroll import NotifierType, Options, hookimpl

class Silent:
    channel = "pigeon"

    def __init__(self, options, context):
        pass

    def can_reach(self, user):
        return bool(user.email)

    def send(self, messages):
        for message in messages:
            continue
        return iter(())

    def close(self):
        pass

@hookimpl
def musterroll_notifiers():
    yield NotifierType(name="silent", summary="Never answers", options=Options, build=Silent)
"""
HELD = """
[[notifiers]]
name = "outbox"
use = "silent"
"""


@pytest.fixture
def imported(inside: Inside) -> Inside:
    """A folder in which Ana and Bo were imported, and nobody was invited."""
    inside.pipeline(OFF)
    write_csv(inside.folder / "staff.csv", [ANA, BO])
    assert inside.run("run", "staff.csv").status == 0
    return inside


def test_invites_are_listed_and_sent(imported: Inside) -> None:
    never = {"channel": None, "state": "never", "sent": None, "expires": None, "reason": "invites are off"}
    listed = imported.json("invites", "list")
    assert listed.document["invites"] == [{"username": name, **never} for name in ("ana", "bo")]
    planned = imported.json("invites", "send", "--dry-run")
    assert [(one["username"], one["reason"]) for one in planned.document["invites"]] == [("ana", None), ("bo", None)]
    assert (planned.document["job"], imported.invites()) == (None, [])
    assert "2 invites to send; nothing was sent." in imported.run("invites", "send", "--dry-run").out

    sent = imported.json("invites", "send", "--user", "ANA", "--yes")
    assert (sent.status, sent.document["job"]["invites"]["sent"]) == (0, 1)
    assert [one["state"] for one in sent.document["invites"]] == ["sent"]
    assert "1 invite sent" in imported.run("invites", "send").out
    assert "Nobody is due" in imported.run("invites", "send").out
    assert len(imported.invites()) == 2
    out = imported.run("invites", "list", "--state", "sent").out
    assert re.search(r"^ana +sent +email +\d{4}-", out, re.MULTILINE)
    assert out.splitlines()[-1] == "2 users: 2 sent."
    assert imported.json("invites", "list", "--state", "held").document["invites"] == []
    jobs = imported.json("jobs", "list").document["jobs"]
    assert all(job["started"] < job["finished"] for job in jobs)
    assert [job["sheet"] is None for job in jobs] == [True, True, False]
    assert "1 invite sent" in imported.run("jobs", "show", "last").out
    changes = imported.json("jobs", "show", "last").document["changes"]
    assert [(change["row"], change["username"], change["action"]) for change in changes] == [(None, "bo", "unchanged")]


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (["invites", "send", "--user", "nobody"], 2, "invite.unknown_user"),
        (["invites", "release"], 2, "usage"),
        (["invites", "release", "ana", "--all"], 2, "usage"),
        (["invites", "release", "ana"], 2, "invite.not_held"),
        (["invites", "list", "--state", "lost"], 2, "usage"),
        (["jobs", "show", "last", "--row", "1"], 2, "job.no_such_row"),
        (["jobs", "show", "last", "--row", "0"], 2, "usage"),
        (["jobs", "show", "last", "--sheet", "staff.csv"], 2, "usage"),
        (["jobs", "prune", "--keep", "-1"], 2, "usage"),
    ],
)
def test_wrong_words_are_told(imported: Inside, words: list[str], status: int, code: str) -> None:
    done = imported.json(*words)
    assert (done.status, done.document["error"]["code"]) == (status, code)


def test_what_is_held_is_released(inside: Inside) -> None:
    inside.write("silent.py", SILENT)
    inside.pipeline(f'plugins = ["silent.py"]\n{HELD}')
    write_csv(inside.folder / "staff.csv", [ANA, BO])
    done = inside.run("run", "staff.csv")
    assert done.status == 4
    assert "2 invites held: musterroll invites list --state held" in done.out
    again = inside.json("invites", "release", "ana", "--yes")
    assert (again.status, [one["state"] for one in again.document["invites"]]) == (4, ["held"])
    inside.pipeline()
    done = inside.run("invites", "release", "bo", "--as-sent")
    assert (done.status, inside.invites()) == (0, [])
    assert "1 invite released, 0 still held." in done.out
    assert inside.run("invites", "release", "--all").status == 0
    assert len(inside.invites()) == 1
    assert "No invite is held." in inside.run("invites", "release", "--all").out


def test_the_story_of_a_row(imported: Inside) -> None:
    story = imported.json("jobs", "show", "last", "--row", "3").document
    row = story["row"]
    assert (row["number"], row["username"], row["outcome"], row["notes"]) == (3, "ana", "created", [])
    fields = {field["field"]: field for field in row["fields"]}
    assert fields["email"]["cell"] == "A3"
    assert fields["email"]["origin"] == "cell"
    assert (fields["password"]["value"], fields["password"]["raw"], fields["password"]["given"]) == (None, None, True)
    assert {rule["verdict"] for rule in row["rules"]} <= {"ok", "warning"}
    assert row["plan"]["invite"]["reason"] == "invites are off"
    assert row["operations"][0] == {"operation": "create the user", "state": "done", "detail": None}
    assert (row["invite"], story["changes"]) == (None, [row["plan"]])
    assert story["job"]["state"] == "completed"
    told = imported.run("jobs", "show", "last", "--row", "3")
    for words in ("In the sheet", "(given)", "validators[email]", "Plan", "no: invites are off", "create the user"):
        assert words in told.out
    assert PASSWORD not in told.out
    (imported.folder / "staff.csv").rename(imported.folder / "moved.csv")
    assert "does not exist, so its cells are not shown" in imported.run("jobs", "show", "last", "--row", "3").out
    assert "In the sheet" in imported.run("jobs", "show", "last", "--row", "3", "--sheet", "moved.csv").out


def test_jobs_are_forgotten(imported: Inside) -> None:
    for _ in range(2):
        imported.run("run", "staff.csv")
    jobs = [job["id"] for job in imported.json("jobs", "list").document["jobs"]]
    assert imported.json("jobs", "prune", "--keep", "2").document["pruned"] == jobs[2:]
    assert "1 job forgotten" in imported.run("jobs", "prune", "--yes").out
    assert [job["id"] for job in imported.json("jobs", "list").document["jobs"]] == jobs[:1]
    assert "No job can be forgotten." in imported.run("jobs", "prune").out
    assert [one["state"] for one in imported.json("invites", "list").document["invites"]] == ["never", "never"]
