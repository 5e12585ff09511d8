"""A worker that is killed at each commit while it makes first passwords: none that was noted is lost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from musterroll.engine import load_pipeline, show_job
from musterroll.errors import UsageError
from musterroll_plugins.web.desk import Desk, Work
from musterroll_plugins.web.people import Who
from musterroll_plugins.web.private import make_folder, write_json
from musterroll_plugins.web.slips import Slips, noted_slips
from support.fork_server import ForkServer, When, fork_server
from support.slips import assert_they_sign_in, makes_passwords, told_by
from support.workplace import Workplace

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
]
NAMES = ("ana", "bo", "cy")


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    with fork_server() as started:
        yield started


class Paper:
    """An upload whose import makes first passwords that all go on paper."""

    def __init__(self, folder: Path, server: ForkServer) -> None:
        self.place, self._server = Workplace(make_folder(folder)), server
        makes_passwords(self.place)
        self.desk = Desk(folder / "state")
        upload, self.sheet = self.desk.new_upload("test", Who("ana"), "pupils.csv", ".csv")
        rows = "".join(f",{name},{name.title()},Berg\n" for name in NAMES)
        self.sheet.write_text(f"Email,Username,Forename,Surname\n{rows}", encoding="utf-8")
        self.desk.store(upload)
        self._upload = upload.id

    def work(self, kind: str, *, commit: int | None = None, when: When = "after") -> bool:
        """Has a worker do something; returns whether it lived to its end."""
        found = self.job()
        more = {"invites": "none", "is_uploaded": True}
        work = Work(
            customer="test",
            kind=kind,
            by=Who("ana"),
            pipeline=str(self.place.folder / "musterroll.toml"),
            upload=self._upload if kind == "run" else None,
            sheet=str(self.sheet),
            job=found[0] if found and kind != "run" else None,
            more=more,
        )
        folder = make_folder(self.desk.folder / "work" / work.id)
        write_json(folder / "work.json", asdict(work))
        views = self.desk.folder / "views"
        ended = self._server.run(self.place.folder, folder, views, program="worker", commit=commit, when=when)
        return ended.status is not None

    def job(self) -> tuple[str, str, list[Slips]] | None:
        """The job: its id, its state, and the slips that the journal has noted."""
        try:
            with show_job(load_pipeline(self.place.folder / "musterroll.toml"), "last") as report:
                assert report.job is not None
                return report.job.id, report.job.state, list(noted_slips(self.sheet, report.job.handed_over()))
        except UsageError:
            return None

    def told(self) -> dict[str, str]:
        """What the noted slips say; each of them is there."""
        found = self.job()
        told: dict[str, str] = {}
        for slips in found[2] if found else ():
            on_page = told_by(slips.path.read_bytes())
            assert len(on_page) == slips.people
            assert not on_page.keys() & told.keys()
            told |= on_page
        return told


def test_no_password_is_lost_that_was_noted_as_handed_over(tmp_path: Path, server: ForkServer) -> None:
    commit, left_behind = 0, 0
    is_over = False
    while not is_over:
        commit += 1
        for when in ("before", "after"):
            paper = Paper(tmp_path / f"{commit}-{when}", server)
            is_over = paper.work("run", commit=commit, when=when)
            before, pages = paper.told(), len(list(paper.sheet.parent.rglob("*.html")))
            left_behind += pages > bool(before)
            while (found := paper.job()) is None or found[1] != "completed":
                assert paper.work("run" if found is None else "resume")
            after = paper.told()
            assert before.items() <= after.items()
            assert after.keys() == set(NAMES)
            assert_they_sign_in(paper.place.directory, after)
            noted = {slips.path for slips in found[2]}
            for file in paper.place.folder.rglob("*"):
                content = file.read_bytes() if file.is_file() and file not in noted else b""
                assert not any(password.encode() in content for password in after.values()), file
    assert commit > 8
    assert left_behind == 1  # killed when it was written, before it was noted: nobody can sign in by what is in it
