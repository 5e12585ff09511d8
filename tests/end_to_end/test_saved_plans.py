"""Saved plans through the command line: `plan -o`, `apply`, `jobs approve`."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from support.rosters import roster, write_csv
from support.workplace import Ended, Inside, Workplace

CANARY = "Kanarienvogel-4711"

# A rule that keeps a process at work, once it is told to, until it is killed or told that it may go on.
WAITS = """
import os, time
from pathlib import Path
from musterroll import Options, ValidatorType, hookimpl

class Waits:
    def __init__(self, options, context):
        self.folder = context.folder
    def check(self, row):
        if os.environ.get("WAIT"):
            (self.folder / "waiting").touch()
            while not (self.folder / "go").exists():
                time.sleep(0.02)
        return ()

@hookimpl
def musterroll_validators():
    yield ValidatorType(name="waits", summary="Waits", options=Options, build=Waits)
"""
WAITING = 'plugins = ["rules/waits.py"]\n[[validators]]\nname = "waits"\nuse = "waits"'


def saved(place: Workplace, sheet: Path, *arguments: str) -> str:
    done = place.run("plan", sheet, "-o", "staff.plan", "--force", *arguments)
    assert done.status == 0, done.err
    assert "musterroll apply staff.plan" in done.out
    return "staff.plan"


def stale(ended: Ended) -> dict[str, object]:
    assert (ended.status, ended.document["status"]) == (3, "refused")
    assert ended.document["error"]["code"] == "plan.stale"
    found: dict[str, object] = ended.document["stale"]
    return found


def edit(place: Workplace, username: str) -> None:
    """Changes a user behind our back."""
    with closing(sqlite3.connect(place.directory)) as db, db:
        db.execute("UPDATE users SET forename = 'Edited' WHERE username = ?", (username,))
        assert db.execute("SELECT changes()").fetchone() == (1,)


@contextmanager
def another_at_work(place: Workplace, *arguments: object) -> Iterator[None]:
    """Another process is in the middle of a command; it is killed in the end."""
    process = place.start(*arguments, WAIT="1")
    try:
        deadline = time.monotonic() + 60
        while not (place.folder / "waiting").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield
    finally:
        process.kill()
        process.communicate()
        (place.folder / "waiting").unlink(missing_ok=True)


def test_invariant_5_a_saved_plan_does_what_it_says_or_nothing(place: Workplace) -> None:
    rows = roster(5)
    rows[0][4] = CANARY
    sheet = write_csv(place.folder / "staff.csv", rows)
    plan = saved(place, sheet)
    assert not place.directory.exists()
    assert CANARY not in (place.folder / plan).read_text(encoding="utf-8")
    done = place.json("apply", plan)
    assert done.status == 0
    assert done.document["job"]["counts"]["created"] == 5
    assert done.document["stale"] is None
    assert done.document["job"]["plan"] is not None
    assert set(place.users()) == {row[1] for row in rows}

    again = place.run("apply", plan)
    assert again.status == 3
    assert "applied already, by the job" in again.err
    assert "exists now" not in again.err  # that is what the plan itself has done

    # One user, whom the next plan leaves as it is, is edited behind our back.
    rows[0][3] = "Neumann"
    write_csv(sheet, rows)
    plan = saved(place, sheet)
    edit(place, rows[2][1])
    before = place.users()
    refused = place.run("apply", plan)
    assert refused.status == 3
    assert "the portal has changed" in refused.err
    assert f"row 5  {rows[2][1]}  forename: no change planned, now Edited → {rows[2][2]}" in refused.err
    assert place.users() == before


def test_invariant_5_whatever_changes_is_named(inside: Inside) -> None:
    inside.write("rules/ours.py", WAITS)
    inside.pipeline('plugins = ["rules/ours.py"]')
    sheet = write_csv(inside.folder / "staff.csv", roster(3))
    plan = saved(inside, sheet)

    def cause() -> set[str]:
        found = stale(inside.json("apply", plan))
        return {name for name in ("sheet", "pipeline", "plugins", "backend", "ledger") if found[name]}

    content = sheet.read_bytes()
    write_csv(sheet, roster(4))
    assert cause() == {"sheet"}
    sheet.write_bytes(content)
    inside.write("rules/ours.py", WAITS + "# changed\n")
    assert cause() == {"plugins"}
    inside.write("rules/ours.py", WAITS)
    inside.pipeline('plugins = ["rules/ours.py"]\non_error = "skip"')
    assert cause() == {"pipeline"}
    inside.pipeline('plugins = ["rules/ours.py"]')
    inside.run("run", write_csv(inside.folder / "other.csv", roster(3)[:1]))
    assert cause() == {"backend"}
    inside.directory.unlink()
    assert inside.run("apply", plan).status == 0


def test_invariant_5_another_version_of_a_plugin_is_named(inside: Inside) -> None:
    site = inside.folder / "site"

    def install(version: str) -> None:
        info = f"site/acme_rules-{version}.dist-info"
        inside.write(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: acme-rules\nVersion: {version}\n")
        inside.write(f"{info}/entry_points.txt", "[musterroll]\nacme = acme_rules_of_ours\n")

    inside.write("site/acme_rules_of_ours.py", WAITS)
    install("1.0")
    inside.monkeypatch.syspath_prepend(site)
    inside.pipeline('[[validators]]\nname = "waits"\nuse = "waits"')
    sheet = write_csv(inside.folder / "staff.csv", roster(2))
    plan = saved(inside, sheet)
    (site / "acme_rules-1.0.dist-info").rename(site / "old")
    install("1.1")
    refused = inside.run("apply", plan)
    assert refused.status == 3
    assert "a plugin has changed since the plan was made (acme-rules was 1.0, is 1.1)" in refused.err
    assert not inside.directory.exists()


@pytest.mark.slow
def test_invariant_6_of_two_appliers_one_works_and_looking_is_never_in_the_way(inside: Inside) -> None:
    inside.write("rules/waits.py", WAITS)
    inside.pipeline(WAITING)
    sheet = write_csv(inside.folder / "staff.csv", roster(3))
    plan = saved(inside, sheet)
    for command in (("apply", plan), ("run", sheet)):
        with another_at_work(inside, *command):
            for other in (("apply", plan), ("run", sheet)):
                refused = inside.json(*other)
                assert (refused.status, refused.document["error"]["code"]) == (3, "state.locked")
            assert inside.json("jobs", "list").document["jobs"][0]["state"] == "running"
            assert inside.run("jobs", "show", "last").status == 0
            assert inside.run("validate", sheet).status == 0
            assert inside.run("plan", sheet).status == 0
        # It was killed. It blocks nobody, and has written nothing.
        assert inside.json("jobs", "list").document["jobs"][0]["state"] == "interrupted"
        assert not inside.directory.exists()
    done = inside.json("apply", plan)
    assert (done.status, done.document["job"]["counts"]["created"]) == (0, 3)


def test_pipeline_profile_and_sets_are_in_the_plan(inside: Inside) -> None:
    inside.pipeline('[profiles.production]\non_error = "skip"')
    sheet = write_csv(inside.folder / "staff.csv", roster(2))
    secret = f"sheet.defaults.password={CANARY}"
    given = ("--profile", "production", "--invites", "none", "--set", "match=['username']", "--set", secret)
    plan = saved(inside, sheet, *given)
    text = (inside.folder / plan).read_text(encoding="utf-8")
    assert CANARY not in text
    assert "match=['username']" in text

    elsewhere = inside.write("elsewhere/musterroll.toml", 'name = "elsewhere"')
    for wrong, said in (
        (("-p", elsewhere), "leave -p out"),
        (("--profile", "other"), 'with the profile "production"'),
        (("--set", "on_error=abort"), "leave other ones out"),
    ):
        refused = inside.run("apply", plan, *wrong)
        assert refused.status == 2
        assert said in refused.err
    # The text that holds a secret is nowhere but in the person's own hands.
    assert inside.json("apply", plan).document["error"]["code"] == "plan.stale"
    assert not inside.directory.exists()
    done = replace(inside, folder=elsewhere.parent).json("apply", inside.folder / plan, "--set", secret)
    assert done.status == 0
    assert done.document["pipeline"] == {"name": "test", "profile": "production"}
    assert len(inside.users()) == 2
    assert inside.invites() == []


def test_the_built_in_pipeline_is_applied_where_it_was_planned(inside: Inside) -> None:
    (inside.folder / "musterroll.toml").unlink()
    write_csv(inside.folder / "staff.csv", roster(2))
    plan = inside.folder / saved(inside, inside.folder / "staff.csv")
    elsewhere = inside.write("elsewhere/empty", "").parent
    refused = replace(inside, folder=elsewhere).run("apply", plan)
    assert refused.status == 2
    assert str(inside.folder) in refused.err
    assert list(elsewhere.iterdir()) == [elsewhere / "empty"]
    assert inside.run("apply", plan).status == 0


def test_a_plan_with_errors_is_not_saved_and_says_so(inside: Inside) -> None:
    rows = roster(3)
    rows[1][0] = "nonsense"
    sheet = write_csv(inside.folder / "staff.csv", rows)
    done = inside.run("plan", sheet, "-o", "staff.plan")
    assert done.status == 1
    assert "not saved" in done.out
    assert inside.json("plan", sheet, "-o", "staff.plan").document["plan"] is None
    assert not (inside.folder / "staff.plan").exists()
    assert inside.json("plan", sheet, "-o", "staff.plan", "--set", "on_error=skip").document["plan"]["path"]
    assert inside.json("apply", "staff.plan").document["job"]["counts"]["created"] == 2


@pytest.mark.parametrize("name", ["missing.plan", "staff.csv", "cut.plan", "edited.plan", "musterroll.toml", "."])
def test_what_is_no_plan_is_refused_in_one_line(inside: Inside, name: str) -> None:
    sheet = write_csv(inside.folder / "staff.csv", roster(2))
    content = (inside.folder / saved(inside, sheet)).read_bytes()
    (inside.folder / "cut.plan").write_bytes(content[:-100])
    (inside.folder / "edited.plan").write_bytes(content.replace(b'"create"', b'"update"', 1))
    refused = inside.run("apply", name)
    assert refused.status == 2
    assert len(refused.err.splitlines()) == 1
    assert name in refused.err
    assert inside.json("apply", name).document["error"]["code"].startswith("plan.")


def test_a_limit_is_let_through_by_an_approval_of_that_very_plan(inside: Inside) -> None:
    inside.pipeline("[limits]\ncreate = 2")
    rows = roster(4)
    sheet = write_csv(inside.folder / "staff.csv", rows)
    stopped = inside.json("run", sheet)
    assert (stopped.status, stopped.document["job"]["state"]) == (3, "quarantined")
    job = stopped.document["job"]["id"]
    resumed = inside.run("jobs", "resume", job)
    assert (resumed.status, f"jobs approve {job}" in resumed.err) == (3, True)
    write_csv(sheet, [*rows, ["x@example.com", "another", *rows[0][2:]]])
    changed = inside.json("jobs", "approve", job)
    assert stale(changed)["sheet"] is True
    assert not inside.directory.exists()
    write_csv(sheet, rows)
    moved = sheet.rename(inside.folder / "moved.csv")
    approved = inside.run("jobs", "approve", job, "--sheet", moved, LOGNAME="ana")
    assert approved.status == 0
    assert len(inside.users()) == 4
    shown = inside.run("jobs", "show", job)
    assert "approved by ana" in shown.out
    assert inside.json("jobs", "show", job).document["job"]["approved"]["by"] == "ana"
    twice = inside.run("jobs", "approve", job, "--sheet", moved)
    assert (twice.status, "already" in twice.err) == (3, True)
    assert inside.run("jobs", "resume", job).status == 0
