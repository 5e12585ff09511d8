"""The members' program as a portal: the contract, a bad day, and a file that somebody works with."""

import sqlite3
from pathlib import Path

import pytest
from musterroll_lakeside import plugin

from musterroll import BackendError, CreateUser, Desired, Status, UserBackend
from musterroll.testing import (
    BackendContract,
    Fault,
    FaultyBackend,
    PipelineTrial,
    build_backend,
    make_context,
    nth,
)

PEOPLE = [{"Username": f"rower{number}", "Forename": "Kim", "Groups": "Men|Four"} for number in range(20)]
PIPELINE = """
password.required = "never"
sheet.omit = ["email", "surname", "password", "calling_code", "phone"]
"""


def opened(folder: Path, *, read_only: bool = False) -> UserBackend:
    return build_backend(plugin, "lakeside", make_context(read_only=read_only), file=folder / "members.db")


class TestLakeside(BackendContract):
    own_field = "boat_licence"
    lookup_fields = ("username", "email", "boat_licence")
    missing_ref = "4711"

    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        return opened(folder, read_only=read_only)


@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.LOST, Fault.CUT, Fault.UNAVAILABLE])
def test_a_bad_day(tmp_path: Path, fault: Fault) -> None:
    faults = nth(3, fault, of=CreateUser)
    trial = PipelineTrial(
        tmp_path, PIPELINE, backend=lambda read_only: FaultyBackend(opened(tmp_path, read_only=read_only), faults)
    )
    done = trial.run(PEOPLE)
    while done.outcome != "ok":
        done = trial.resume()
    assert set(trial.plan(PEOPLE).actions.values()) == {"unchanged"}
    assert opened(tmp_path, read_only=True).count_users() == 20


def test_somebody_works_with_the_program(tmp_path: Path) -> None:
    backend = opened(tmp_path)
    creation = CreateUser(id="1", user=Desired(username="kim", fields={}))
    other = sqlite3.connect(tmp_path / "members.db", timeout=0, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    results = backend.execute(iter([creation]))
    other.execute("ROLLBACK")
    assert [result.status for result in results] == [Status.DONE]
    other.close()
    backend.close()


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "members.db").write_text("This is no database, but a text that is long enough to be none." * 20)
    with pytest.raises(BackendError, match=r"members\.db is no file of the members' program"):
        opened(tmp_path)
