"""What ends a program from outside ends an import in order: nothing is lost, and it says how to go on."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest

from support.rosters import roster, write_csv
from support.workplace import Workplace

USERS = 400


def begun(place: Workplace, *words: str) -> subprocess.Popen[str]:
    """A run in the middle of its work: hashing passwords takes its time."""
    place.pipeline(passwords="argon2id", text="invites.send_to = 'none'")
    process = place.start("run", write_csv(place.folder / "staff.csv", roster(USERS)), *words)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
        if place.directory.exists():
            try:
                with closing(sqlite3.connect(place.directory)) as db:
                    if db.execute("SELECT count(*) FROM users").fetchone()[0]:
                        break
            except sqlite3.OperationalError:  # not there yet
                continue
    return process


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_run_in_order(place: Workplace, name: str) -> None:
    process = begun(place, "--format", "json")
    process.send_signal(getattr(signal, name))
    out, err = process.communicate(timeout=60)
    document = json.loads(out)
    assert process.returncode == 130, err
    assert (document["status"], document["job"]["state"]) == ("interrupted", "interrupted")
    counts = document["job"]["counts"]
    assert 0 < counts["created"] < USERS
    assert counts["created"] + counts["not_attempted"] == USERS
    assert f"musterroll jobs resume {document['job']['id']}" in document["error"]["message"]
    resumed = place.json("jobs", "resume", "last")
    assert resumed.status == 0
    assert resumed.document["job"]["counts"]["created"] == USERS


@pytest.mark.slow
def test_a_second_signal_says_how_to_go_on_as_well(place: Workplace) -> None:
    process = begun(place)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "musterroll jobs resume " in out + err


@pytest.mark.slow
def test_nohup_keeps_a_run_going_when_the_terminal_goes(place: Workplace) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # inherited, as from nohup
    try:
        process = begun(place, "--quiet")
    finally:
        signal.signal(signal.SIGHUP, before)
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert len(place.users()) == USERS
