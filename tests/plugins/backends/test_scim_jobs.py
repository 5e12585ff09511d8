"""Whole jobs through the command line's engine against scim2-server: quiet, on a bad day, and dying."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from musterroll.engine import plan, resume, run
from musterroll.model.reports import JobCounts, JobState, Outcome
from musterroll.pipeline.loading import load_pipeline
from support.rosters import roster, write_csv
from support.scim_servers import Faults, Portal, Server, attribute, provider

CANARY = " pass word "
USER = "urn:ietf:params:scim:schemas:core:2.0:User"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def portal(server: Server, request: pytest.FixtureRequest) -> Portal:
    return server.portal(request.node.name.encode().hex())


class Office:
    """A folder with a sheet and a pipeline."""

    def __init__(self, folder: Path, portal: Portal, count: int, options: str = "") -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.portal = folder, portal
        self.sheet = write_csv(folder / "users.csv", roster(count))
        self.file = folder / "musterroll.toml"
        self.file.write_text(
            f"""
            name = "acme"
            [backend]
            use = "scim"
            options = {{ url = "{portal.url}", {options}concurrency = 8 }}
            [invites]
            send_to = "new"
            """,
            encoding="utf-8",
        )

    def run(self) -> tuple[JobState, JobCounts]:
        report = run(load_pipeline(self.file), self.sheet)
        try:
            assert report.job is not None, list(report.problems())
            self.job = report.job.id
            return report.job.state, report.job.counts
        finally:
            report.close()

    def resume(self) -> tuple[JobState, JobCounts]:
        report = resume(load_pipeline(self.file), self.job)
        report.close()
        assert report.job is not None
        return report.job.state, report.job.counts

    def invited(self) -> list[str]:
        files = (self.folder / "outbox").glob("*.eml")
        return sorted(
            line.removeprefix("To: ")
            for file in files
            for line in file.read_text(encoding="utf-8").splitlines()
            if line.startswith("To: ")
        )


def contents(portal: Portal) -> dict[str, Any]:
    """Users and groups without ids and times."""
    groups = {group.id: group for group in portal.groups()}
    above = {member.value: group.id for group in groups.values() for member in group.members or ()}

    def path(ref: str) -> str:
        name = str(groups[ref].display_name)
        return f"{path(above[ref])}|{name}" if above.get(ref) in groups and ref in above else name

    of_user: dict[str, list[str]] = {}
    for group in groups.values():
        for member in group.members or ():
            if member.value not in groups:
                of_user.setdefault(member.value, []).append(path(group.id))
    users = {}
    for user in portal.users():
        shown = user.model_dump(exclude={"id", "meta", "external_id", "schemas"})
        assert user.user_name not in users, "twice"
        users[user.user_name] = (shown, sorted(of_user.get(user.id, ())))
    return {"users": users, "groups": sorted(path(ref) for ref in groups)}


def test_the_second_run_only_looks(tmp_path: Path, portal: Portal) -> None:
    office = Office(tmp_path, portal, 60)
    state, counts = office.run()
    assert (state, counts.created) == (JobState.COMPLETED, 60)
    invited = office.invited()
    portal.faults.seen.clear()
    state, counts = office.run()
    assert (state, counts.unchanged) == (JobState.COMPLETED, 60)
    assert {request.partition(" ")[0] for request in portal.faults.seen} == {"GET"}
    assert office.invited() == invited
    assert len(invited) == len(set(invited)) == 48


def test_a_plan_writes_nothing_and_says_what_the_portal_cannot_do(
    tmp_path: Path, server: Server, request: pytest.FixtureRequest
) -> None:
    def poor(config: Any, schemas: Any, kinds: Any) -> None:
        user = schemas[USER]
        user["attributes"] = [one for one in user["attributes"] if one["name"] != "phoneNumbers"]
        attribute(user, "password")["mutability"] = "readOnly"

    portal = server.portal(request.node.name.encode().hex(), provider(poor))
    office = Office(tmp_path, portal, 6, options='nesting = "none", ')
    report = plan(load_pipeline(office.file), office.sheet)
    unsupported = {problem.field for problem in report.problems() if problem.code == "backend.unsupported"}
    report.close()
    assert report.outcome is Outcome.PROBLEMS
    assert unsupported == {"password", "phone", "calling_code", "groups"}
    assert {sent.partition(" ")[0] for sent in portal.faults.seen} == {"GET"}


@pytest.mark.slow
def test_a_bad_day_comes_to_the_same(tmp_path: Path, server: Server) -> None:
    quiet, bad = server.portal("quiet"), server.portal("bad")
    assert Office(tmp_path / "quiet", quiet, 150).run()[0] is JobState.COMPLETED
    bad.faults = Faults(
        busy=0.05,
        retry_after="0.2",
        reset_after=0.03,
        ignore_filters=True,
        duplicate_status=500,
        latency=0.005,
        page_limit=50,
    )
    office = Office(tmp_path / "bad", bad, 150, options='duplicate_status = [409, 500], bulk = "never", ')
    state, counts = office.run()
    for _ in range(3):
        if state is JobState.COMPLETED:
            break
        state, counts = office.resume()
    assert (state, counts.created) == (JobState.COMPLETED, 150)
    assert contents(bad) == contents(quiet)
    invited = office.invited()
    assert len(invited) == len(set(invited)) == 120


@pytest.mark.parametrize("bulk", ["auto", "never"])
def test_a_portal_that_dies_in_the_middle_and_comes_back(
    tmp_path: Path, server: Server, portal: Portal, bulk: str
) -> None:
    office = Office(tmp_path, portal, 100, options=f'retries = 1, bulk = "{bulk}", bulk_size = 10, ')
    writes = 0

    def die(method: str, path: str) -> None:
        nonlocal writes
        writes += method != "GET"
        if writes > (17 if bulk == "auto" else 60):
            portal.faults.dead = True

    portal.faults.before = die
    state, counts = office.run()
    assert state is JobState.PAUSED
    outcomes = counts.created + counts.unknown + counts.not_attempted + counts.failed
    assert outcomes == counts.rows == 100
    assert 0 < counts.created < 100
    portal.faults = Faults()
    state, counts = office.resume()
    assert (state, counts.created) == (JobState.COMPLETED, 100)
    assert len(contents(portal)["users"]) == 100
    invited = office.invited()
    assert len(invited) == len(set(invited)) == 80


def test_passwords_are_found_nowhere(tmp_path: Path, portal: Portal, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    portal.faults = Faults(busy=0.05, retry_after="0.05", reset_after=0.1)
    portal.faults.echo = True
    portal.faults.statuses = {("PATCH", "/Groups"): 400}
    office = Office(tmp_path, portal, 20)
    state, _ = office.run()
    assert state is JobState.COMPLETED_WITH_ERRORS
    assert any(CANARY.encode() in body for body in portal.faults.bodies)
    assert CANARY not in caplog.text
    for file in tmp_path.rglob("*"):
        if file.is_file() and file != office.sheet:
            assert CANARY.encode() not in file.read_bytes(), file
    assert list((tmp_path / ".musterroll").iterdir())
