"""A server or a worker that dies: what it was doing can be gone on with."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from support.slips import assert_they_sign_in, makes_passwords, told_by
from support.web_server import ServerProcess, Visitor, job_of, upload_path, web_process, words_of
from support.workplace import Workplace

_HEADER = "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups\nguidance,,,,,,,\n"
ROWS = 30_000  # so many that the work is still under way when it is stopped
SHEET = _HEADER + "".join(f",user{i},U,,Harbour-Gate-{i},,,\n" for i in range(ROWS))


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    workplace = Workplace(tmp_path)
    workplace.pipeline()
    return workplace


def until(what: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def begun(server: ServerProcess, visitor: Visitor) -> tuple[str, Path]:
    """Begins an import; returns the path of its work and its folder, when the portal is being written to."""
    page = visitor.post(upload_path(visitor.upload(SHEET)) + "/run", invites="none")
    folder = server.state / "work" / page.url.path.rpartition("/")[2]
    until(lambda: written(server.place.directory) > 500)
    return page.url.path.removeprefix("/c/test"), folder


def written(directory: Path) -> int:
    """How many users are in a portal that is being written to; none before its file has tables."""
    if not directory.exists():
        return 0
    with closing(sqlite3.connect(directory)) as db:
        try:
            (users,) = db.execute("SELECT count(*) FROM users").fetchone()
        except sqlite3.OperationalError:
            return 0
    return int(users)


def worker_of(folder: Path) -> int:
    """The process of a work: the one whose command line names its folder."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if str(folder).encode() in words:
            return int(path.parent.name)
    raise AssertionError(folder)


pytestmark = pytest.mark.slow
linux_only = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="finds the worker by /proc")


@linux_only
def test_a_killed_worker_leaves_a_job_that_goes_on(place: Workplace) -> None:
    with web_process(place) as server:
        visitor = server.enter()
        work, folder = begun(server, visitor)
        os.kill(worker_of(folder), signal.SIGKILL)
        until(lambda: "This was cut off" in words_of(visitor.get(work)))
        (job,) = place.json("jobs", "list").document["jobs"]
        assert job["state"] == "interrupted"
        assert "Interrupted" in words_of(visitor.get(""))
        done = visitor.wait(visitor.post(f"/jobs/{job['id']}/resume"))
        assert "Completed" in words_of(done)
    assert len(place.users()) == ROWS


@linux_only
def test_a_killed_server_leaves_the_worker_at_work_and_a_new_one_sees_it(place: Workplace) -> None:
    with web_process(place) as server:
        work, _ = begun(server, server.enter())
        server.stop(kill=True)
    with web_process(place) as again:
        visitor = again.enter()
        done = visitor.wait(visitor.get(work))
        assert "Completed" in words_of(done)
    assert len(place.users()) == ROWS


@linux_only
def test_a_killed_server_loses_no_first_password(place: Workplace) -> None:
    makes_passwords(place)
    names = [f"user{i}" for i in range(60)]
    sheet = "Email,Username,Forename,Surname\n" + "".join(f",{name},U,\n" for name in names)
    with web_process(place) as server:
        visitor = server.enter()
        work = visitor.post(upload_path(visitor.upload(sheet)) + "/run", invites="none").url.path
        until(lambda: written(place.directory) > 0)
        server.stop(kill=True)
    with web_process(place) as again:
        visitor = again.enter()
        done = visitor.wait(visitor.get(work.removeprefix("/c/test")))
        assert "60 people get their first passwords on paper" in words_of(done)
        told = told_by(visitor.post(f"/jobs/{job_of(done)}/passwords/{work.rpartition('/')[2]}").content)
    assert told.keys() == set(names)
    assert_they_sign_in(place.directory, told)


def test_a_server_that_is_stopped_stops_its_workers_in_order(place: Workplace) -> None:
    with web_process(place) as server:
        _, folder = begun(server, server.enter())
        server.stop()
        result = json.loads((folder / "result.json").read_text("utf-8"))
        assert result["outcome"] == "interrupted"
    (job,) = place.json("jobs", "list").document["jobs"]
    assert job["state"] == "interrupted"
    with web_process(place) as again:
        visitor = again.enter()
        assert "Completed" in words_of(visitor.wait(visitor.post(f"/jobs/{job['id']}/resume")))
    assert len(place.users()) == ROWS


def test_cancel_stops_in_order_and_the_job_goes_on(place: Workplace) -> None:
    with web_process(place) as server:
        visitor = server.enter()
        work, _ = begun(server, visitor)
        stopped = visitor.wait(visitor.post(f"{work}/cancel"))
        assert "Interrupted" in words_of(stopped)
        assert "Go on with it" in words_of(stopped)
        job = stopped.url.path.rpartition("/")[2]
        assert "Completed" in words_of(visitor.wait(visitor.post(f"/jobs/{job}/resume")))
    assert len(place.users()) == ROWS
