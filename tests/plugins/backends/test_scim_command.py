"""What a person at the command line lives through with a portal: it dies and comes back, or cannot be used at all."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import pytest

from support.mock_portal import mock_portal
from support.rosters import roster, write_csv
from support.scim_servers import Faults, Portal, Server, free_port, provider
from support.workplace import Ended, Inside

CANARY = "Kanarienvogel-4711"
TOKEN = "Token-3f9a-Sesame"


class Desk:
    """A folder with a sheet and a pipeline file for the backend `scim`."""

    def __init__(self, place: Inside, count: int = 5) -> None:
        self.place = place
        self.rows = roster(count)
        self.sheet = write_csv(place.folder / "staff.csv", self.rows)

    def point(self, url: str, options: str = "", tables: str = "") -> None:
        """Writes the pipeline file."""
        self.place.write(
            "musterroll.toml",
            f'name = "acme"\nbackend.use = "scim"\n{tables}\n[backend.options]\nurl = "{url}"\n{options}',
        )

    def run(self, **environment: str) -> Ended:
        """`musterroll run` with its sheet."""
        return self.place.run("run", self.sheet, **environment)

    def addressees(self) -> list[str]:
        """Who has an address in the sheet."""
        return sorted(row[0] for row in self.rows if row[0])

    def invited(self) -> list[str]:
        """Whom the outbox has invites for."""
        lines = (line for file in self.place.invites() for line in file.read_text(encoding="utf-8").splitlines())
        return sorted(parseaddr(line)[1] for line in lines if line.startswith("To: "))


@pytest.fixture
def desk(scratch: Inside) -> Desk:
    return Desk(scratch)


@pytest.mark.slow
def test_a_portal_that_is_killed_in_the_middle_and_comes_back(scratch: Inside) -> None:
    desk, directory, port = Desk(scratch, 200), scratch.folder / "portal.db", str(free_port())
    options = ("--port", port, "--passwords", "none")
    with mock_portal(directory, *options, "--latency", "10ms", "--no-bulk") as portal:
        desk.point(portal.url, 'retries = 1\nconcurrency = 4\ntoken = { env = "MUSTERROLL_PORTAL_TOKEN" }')
        running = desk.place.start("run", desk.sheet, "--format", "json")
        while running.poll() is None and _users(directory) < 50:
            time.sleep(0.01)
        portal.process.kill()
        ended = Ended(0, *running.communicate(timeout=60))
    assert running.returncode == 4
    job = ended.document["job"]
    assert (job["state"], ended.document["error"]["code"]) == ("paused", "backend.unavailable")
    counts = job["counts"]
    assert counts["rows"] == 200 == sum(number for name, number in counts.items() if name != "rows")
    assert 0 < counts["created"] < 200
    assert counts["not_attempted"] > 0

    told = desk.place.run("jobs", "resume", "last")  # it is still away
    assert told.status == 4
    assert "cannot be reached" in told.err
    assert "jobs resume" in told.out + told.err

    with mock_portal(directory, *options):
        resumed = desk.place.json("jobs", "resume", "last")
        assert resumed.status == 0
        assert resumed.document["job"]["state"] == "completed"
        assert resumed.document["job"]["counts"]["created"] == 200
        again = desk.place.json("run", desk.sheet)
        assert again.document["job"]["counts"]["unchanged"] == 200
    assert _users(directory) == 200
    assert desk.invited() == desk.addressees()


def _users(directory: Path) -> int:
    """How many users the portal has stored so far."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(directory)) as db:
        return int(db.execute("SELECT count(*) FROM users").fetchone()[0])
    return 0


class TestCannotBeUsed:
    """One clear line each, and nothing is written: neither there nor here."""

    def complaint(self, desk: Desk, **environment: str) -> str:
        ended = desk.run(**environment)
        assert (ended.status, ended.out) == (2, "")
        assert ended.err.startswith("error: ")
        assert ended.err.count("\n") == 1
        assert TOKEN not in ended.err
        assert not desk.place.invites()
        return ended.err

    def test_wrong_token(self, desk: Desk, portal: Portal) -> None:
        portal.faults.tokens = {"Bearer right"}
        desk.point(portal.url, 'token = { env = "ACME_TOKEN" }')
        assert "check it, it may have expired" in self.complaint(desk, ACME_TOKEN=TOKEN)
        assert portal.faults.writes() == []

    def test_wrong_url(self, desk: Desk, server: Server) -> None:
        desk.point(f"http://127.0.0.1:{server.port}/nowhere")
        assert "check the url, it often ends in /scim/v2" in self.complaint(desk)

    def test_nobody_there(self, desk: Desk) -> None:
        desk.point(f"http://127.0.0.1:{free_port()}/scim/v2")
        line = self.complaint(desk)
        assert "cannot be reached" in line
        assert "(" not in line  # nothing of the library's own words

    def test_web_page(self, desk: Desk, portal: Portal) -> None:
        portal.faults.statuses, portal.faults.html = {("GET", "/"): 200}, True
        desk.point(portal.url)
        assert "a web page instead of SCIM" in self.complaint(desk)
        assert portal.faults.writes() == []

    def test_too_large(self, desk: Desk, portal: Portal) -> None:
        portal.faults.statuses = {("GET", "/Users"): 413}
        desk.point(portal.url)
        assert "lower max_url, page_size or bulk_size" in self.complaint(desk)
        assert portal.faults.writes() == []

    def test_untrusted_certificate(
        self, desk: Desk, make_certificate: Callable[[Path], tuple[Path, Path]], request: pytest.FixtureRequest
    ) -> None:
        certificate, key = make_certificate(desk.place.folder)
        server = Server(ssl_certfile=str(certificate), ssl_keyfile=str(key))
        request.addfinalizer(server.stop)
        portal = server.portal("acme")
        desk.point(portal.url)
        assert "name that one's file in the option ca" in self.complaint(desk)
        assert portal.faults.seen == []
        desk.point(portal.url, f'ca = "{certificate.name}"')  # beside the pipeline file
        assert desk.run().status == 0


def test_users_that_are_too_large_fail_alone(desk: Desk, portal: Portal) -> None:
    portal.faults.statuses = {("POST", "/"): 413}
    desk.point(portal.url)
    ended = desk.place.json("run", desk.sheet)
    assert (ended.status, ended.document["job"]["counts"]["failed"]) == (4, 5)
    assert portal.users() == []
    shown = desk.place.run("jobs", "show", "last")
    assert "it is too much for the portal" in shown.out


@pytest.mark.slow
def test_the_canary_is_found_nowhere(desk: Desk, portal: Portal) -> None:
    """Neither the password nor the token, in whatever is printed or stored, however talkative the portal is."""
    desk.rows[1][4] = CANARY
    write_csv(desk.sheet, desk.rows)
    talkative = {("POST", "/"): 400, ("PATCH", "/"): 400}
    portal.faults = Faults(tokens={f"Bearer {TOKEN}"}, echo=True, statuses=talkative)
    desk.point(portal.url, 'token = { env = "ACME_TOKEN" }', '[password]\non_existing = "reset"\n')

    def run(*words: object) -> Ended:
        return desk.place.run(*words, "--verbose", ACME_TOKEN=TOKEN)

    ended = [run("plan", desk.sheet), run("run", desk.sheet), run("jobs", "show", "last")]
    portal.faults = replace(portal.faults, statuses={}, busy=0.2, retry_after="0", reset_after=0.3)
    ended += [run("run", desk.sheet, "--format", "json"), run("jobs", "show", "last", "--format", "json")]
    assert [done.status for done in ended] == [0, 4, 0, 0, 0]
    assert "POST /" in ended[1].err  # the log is there
    assert any(CANARY.encode() in body for body in portal.faults.bodies)
    for done in ended:
        assert CANARY not in done.out + done.err
        assert TOKEN not in done.out + done.err
    desk.sheet.unlink()
    files = [file for file in desk.place.folder.rglob("*") if file.is_file()]
    assert any(file.suffix == ".journal" for file in files)
    for file in files:
        content = file.read_bytes()
        assert CANARY.encode() not in content, file
        assert TOKEN.encode() not in content, file


def test_without_the_extra(desk: Desk) -> None:
    desk.point("http://127.0.0.1:9/scim/v2")
    code = (
        "import sys; sys.modules['aiohttp'] = None\n"
        "from musterroll_cli.main import main\n"
        f"sys.argv = ['musterroll', 'plan', {str(desk.sheet)!r}, '--format', 'json']; sys.exit(main())"
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=desk.place.folder, check=False)
    error: dict[str, Any] = Ended(ended.returncode, ended.stdout, ended.stderr).document["error"]
    assert (ended.returncode, error["code"]) == (2, "extra.missing")
    assert error["message"] == 'the backend "scim" needs aiohttp: pip install "musterroll[scim]"'


def test_a_plan_tells_of_passwords_that_cannot_be_reset(desk: Desk, new_portal: Callable[..., Portal]) -> None:
    portal = new_portal(provider(lambda config, schemas, kinds: config["changePassword"].update(supported=False)))
    desk.point(portal.url)
    assert desk.run().status == 0
    portal.faults.seen.clear()
    planned = desk.place.json("plan", desk.sheet, "--set", "password.on_existing=reset")
    assert planned.status == 1
    assert planned.codes == [("backend.unsupported", f"E{row}") for row in range(3, 8)]
    assert "set password.on_existing to" in planned.document["problems"][0]["message"]
    assert portal.faults.writes() == []
