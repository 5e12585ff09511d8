"""Whole jobs through the command line's engine against scim2-server: quiet, on a bad day, and dying."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from musterroll.engine import Action, export, plan, resume, run
from musterroll.journal.job import JobState
from musterroll.journal.outcomes import JobCounts
from musterroll.pipeline.loader import load_pipeline
from musterroll.reports.report import Outcome
from support.rosters import roster, write_csv
from support.scim_servers import Faults, Portal, attribute, provider

USER = "urn:ietf:params:scim:schemas:core:2.0:User"


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


def test_what_is_exported_asks_for_nothing(tmp_path: Path, portal: Portal) -> None:
    office = Office(tmp_path, portal, 60)
    office.run()
    pipeline = load_pipeline(office.file)
    assert export(pipeline, tmp_path / "out.xlsx").users == 60
    with plan(pipeline, tmp_path / "out.xlsx") as report:
        assert list(report.problems()) == []
        assert report.changes is not None
        assert [change.action for change in report.changes()] == [Action.UNCHANGED] * 60


def test_what_somebody_has_changed_by_hand_stays(tmp_path: Path, portal: Portal) -> None:
    office = Office(tmp_path, portal, 6)
    with office.file.open("a", encoding="utf-8") as file:
        file.write('\n[hand_edits]\ndefault = "keep"\n')
    office.run()
    group = next(one for one in portal.groups() if any(member.type != "Group" for member in one.members or ()))
    left = next(member for member in group.members if member.type != "Group")
    user = next(one for one in portal.users() if one.id == left.value)
    written = user.name.family_name
    user.name.family_name = "Souza"
    group.members.remove(left)
    portal.faults.seen.clear()
    assert office.run()[1].unchanged == 6
    assert {request.partition(" ")[0] for request in portal.faults.seen} == {"GET"}
    with plan(load_pipeline(office.file), office.sheet) as report:
        assert report.changes is not None
        (edited,) = [change for change in report.changes() if change.hand_edits]
        surname, membership = edited.hand_edits
        assert (surname.written, surname.portal, surname.sheet, surname.kept) == (written, "Souza", written, True)
        assert (membership.field, membership.written, membership.portal, membership.kept) == (
            "groups",
            True,
            False,
            True,
        )


def test_a_plan_writes_nothing_and_says_what_the_portal_cannot_do(
    tmp_path: Path, new_portal: Callable[..., Portal]
) -> None:
    def poor(config: Any, schemas: Any, kinds: Any) -> None:
        user = schemas[USER]
        user["attributes"] = [one for one in user["attributes"] if one["name"] != "phoneNumbers"]
        attribute(user, "password")["mutability"] = "readOnly"

    portal = new_portal(provider(poor))
    office = Office(tmp_path, portal, 6, options='nesting = "none", ')
    report = plan(load_pipeline(office.file), office.sheet)
    unsupported = {problem.field for problem in report.problems() if problem.code == "backend.unsupported"}
    report.close()
    assert report.outcome is Outcome.PROBLEMS
    assert unsupported == {"password", "phone", "calling_code", "groups"}
    assert {sent.partition(" ")[0] for sent in portal.faults.seen} == {"GET"}


# Names that are almost those of the sheet, names that have nothing to do with it, and an address of the sheet.
STRANGERS = (
    "user01",
    "user1.",
    "user 1",
    "uѕer1",  # with a Cyrillic letter
    "anvandare7",
    "user1@example.com",
    "USER",
    "director",
    *(f"guest{n}" for n in range(60)),
)
LATE = ("user2", "user41", "användare77", "user200", "user400")


def occupy(portal: Portal) -> dict[str, Any]:
    """Fills a portal with strangers and a group of theirs; five users of the sheet register while it is imported."""
    for n, name in enumerate(STRANGERS):
        portal.register(
            userName=name,
            displayName=f"Stranger {n}",
            emails=[{"value": f"user{n}@example.com", "type": "work"}],
            active=n % 7 > 0,
        )
    own = [{"value": user.id} for user in portal.users()[:9]]
    portal.register_group(displayName="Role A", members=own)
    late = list(LATE)

    def register(method: str, path: str) -> None:
        while late and method == "POST" and path in ("/Users", "/Bulk"):
            portal.register(userName=late.pop().upper(), displayName="I was quicker")

    portal.faults.before = register
    return strangers(portal)


def strangers(portal: Portal) -> dict[str, Any]:
    """Everything that a portal knows of the strangers."""
    return {user.id: user.model_dump() for user in portal.users() if user.user_name in STRANGERS}


@pytest.mark.slow
def test_a_bad_day_comes_to_the_same(tmp_path: Path, new_portal: Callable[..., Portal]) -> None:
    quiet, bad = new_portal(), new_portal()
    bad.faults = Faults(
        busy=0.05, retry_after="1", reset_after=0.01, ignore_filters=True, duplicate_status=500, latency=0.02
    )
    offices = [
        Office(tmp_path / "quiet", quiet, 1000),
        Office(tmp_path / "bad", bad, 1000, options='duplicate_status = [409, 500], bulk = "never", '),
    ]
    before = [occupy(quiet), occupy(bad)]
    results = [office.run() for office in offices]
    assert results[0] == results[1]
    state, counts = results[1]
    assert (state, counts.created, counts.failed) == (JobState.COMPLETED_WITH_ERRORS, 1000 - len(LATE), len(LATE))
    assert contents(bad) == contents(quiet)
    assert [strangers(quiet), strangers(bad)] == before
    assert offices[0].invited() == offices[1].invited()
    assert len(offices[1].invited()) == len(set(offices[1].invited()))
    assert bad.faults.happened["busy"] > 20
    assert bad.faults.happened["reset_after"] > 2  # some ten
    assert bad.faults.happened["ignored filter"] > 0  # and then no filter is asked for again
    assert bad.faults.happened["duplicate"] >= len(LATE)

    # Those who were quicker are updated by the next run; then there is nothing to do but to look.
    results = [office.run() for office in offices]
    assert results[0] == results[1]
    assert (results[1][0], results[1][1].updated) == (JobState.COMPLETED, len(LATE))
    assert contents(bad) == contents(quiet)
    bad.faults.seen.clear()
    state, counts = offices[1].run()
    assert (state, counts.unchanged) == (JobState.COMPLETED, 1000)
    assert {request.partition(" ")[0] for request in bad.faults.seen} == {"GET"}
    assert [strangers(quiet), strangers(bad)] == before


@pytest.mark.parametrize("bulk", ["auto", "never"])
def test_a_portal_that_dies_in_the_middle_and_comes_back(tmp_path: Path, portal: Portal, bulk: str) -> None:
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
