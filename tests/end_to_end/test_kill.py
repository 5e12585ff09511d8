"""Killed at random points and resumed: each user once, no invite twice, missing invites are held ones."""

from __future__ import annotations

import email
import random
import shutil
from collections import Counter

import pytest

from musterroll_testing.crash import Killer, duration
from support.rosters import roster, write_csv
from support.workplace import COMMAND, Workplace

USERS = 600
KILLS = 20


@pytest.mark.slow
def test_twenty_kills(place: Workplace) -> None:
    place.pipeline('limits.update = "100%"')  # each sheet changes everybody
    rows = roster(USERS)
    sheet = write_csv(place.folder / "staff.csv", rows)
    run = [str(COMMAND), "run", str(sheet)]
    resume = [str(COMMAND), "jobs", "resume", "last"]

    rehearsal = Workplace(place.folder / "rehearsal")
    rehearsal.folder.mkdir()
    shutil.copy(place.folder / "musterroll.toml", rehearsal.folder)
    whole = duration(run, rehearsal.folder)
    start = duration([str(COMMAND), "jobs", "list"], rehearsal.folder)

    killer = Killer(place.folder, random.Random(20))
    # The machine may be busier now than later, or the other way round: a run that gets through is followed by
    # earlier kills, one that does not by later ones.
    generation, pace = 0, 1.0

    def attempt(command: list[str]) -> int | None:
        nonlocal pace
        status = killer.run(command, earliest=start * 0.8 * pace, latest=whole * pace)
        pace = min(1.5, pace * 1.05) if status is None else pace * 0.8
        return status

    status = attempt(run)
    while killer.kills < KILLS:
        if status is None:
            status = attempt(resume)
            continue
        # It got through: the next job changes and adds users.
        generation += 1
        assert generation < 3 * KILLS, "too few kills hit anything"
        for row in rows:
            row[3] = f"Generation {generation}"
        rows += [[row[0] and f"g{generation}-{row[0]}", f"g{generation}-{row[1]}", *row[2:]] for row in roster(50)]
        write_csv(sheet, rows)
        status = attempt(run)
    if status is None:
        assert place.run(*resume[1:]).status in (0, 4)  # 4: there are held invites
    jobs = place.json("jobs", "list").document["jobs"]
    assert jobs[0]["state"] in ("completed", "completed_with_errors")

    # The last one may have been killed before it was a job at all.
    assert place.run("run", sheet).status == 0
    final = place.json("run", sheet)
    assert final.status == 0
    assert final.document["job"]["counts"]["unchanged"] == len(rows)
    users = place.users()
    assert set(users) == {row[1] for row in rows}

    invited = Counter(email.message_from_bytes(file.read_bytes())["To"] for file in place.invites())
    assert set(invited.values()) == {1}, invited.most_common(3)
    held = [
        failure["row"]
        for job in jobs
        for failure in place.json("jobs", "show", job["id"]).document["job"]["failures"]
        if failure["status"] == "held"
    ]
    wanted = sum(1 for row in rows if row[0])
    assert len(invited) <= wanted <= len(invited) + len(held)


def test_a_job_that_was_killed_while_it_planned_asks_before_it_writes(place: Workplace) -> None:
    place.write(
        "rules/dies.py",
        "import os\n"
        "from musterroll import Options, ValidatorType, hookimpl\n"
        "class Dies:\n"
        "    def __init__(self, options, context): pass\n"
        "    def check(self, row):\n"
        "        if row.number == 5 and os.environ.get('DIE'):\n"
        "            os._exit(9)\n"
        "        return []\n"
        "@hookimpl\n"
        "def musterroll_validators():\n"
        "    yield ValidatorType(name='dies', summary='Dies', options=Options, build=Dies)\n",
    )
    place.pipeline('confirm = true\nplugins = ["rules/dies.py"]\n[[validators]]\nname = "dies"\nuse = "dies"')
    sheet = write_csv(place.folder / "staff.csv", roster(5))
    killed = place.start("run", sheet, "--yes", DIE="1")
    killed.communicate(timeout=60)
    assert killed.returncode == 9
    assert place.json("jobs", "list").document["jobs"][0]["state"] == "interrupted"
    refused = place.run("jobs", "resume", "last")
    assert refused.status == 3
    assert "--yes" in refused.err
    assert not place.directory.exists()
    moved = sheet.rename(place.folder / "moved.csv")
    missing = place.run("jobs", "resume", "last", "--yes")
    assert (missing.status, "--sheet" in missing.err) == (2, True)
    assert place.run("jobs", "resume", "last", "--yes", "--sheet", moved).status == 0
    assert len(place.users()) == 5
