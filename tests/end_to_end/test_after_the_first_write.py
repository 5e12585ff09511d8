"""After the first write the status is 4, whatever breaks: it can be gone on with, or it is said that it was done."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from musterroll.commands import documents
from musterroll.commands import job as working
from musterroll.execute.answers import Answers
from support.rosters import roster, write_csv
from support.workplace import COMMAND, Inside


@pytest.fixture
def ready(inside: Inside) -> Inside:
    write_csv(inside.folder / "staff.csv", roster(20))
    return inside


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
@pytest.mark.parametrize("form", ["text", "json"])
def test_nobody_can_be_told(ready: Inside, form: str) -> None:
    command = [str(COMMAND), "run", "staff.csv", "--format", form]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        first, second = (
            subprocess.run(command, check=False, cwd=ready.folder, stdout=full, stderr=subprocess.PIPE, text=True)
            for _ in range(2)
        )
    assert first.returncode == 4
    assert "cannot be written" in first.stderr
    assert "is completed all the same" in first.stderr
    assert len(ready.users()) == 20
    assert second.returncode == 2  # nothing was written that time


@pytest.mark.parametrize("raised", [MemoryError(), RuntimeError("a fault")], ids=["memory", "fault"])
def test_the_program_breaks_in_the_middle(ready: Inside, monkeypatch: pytest.MonkeyPatch, raised: Exception) -> None:
    keep = Answers.keep
    answers = iter(range(100))

    def breaking(self: object, stored: object, result: object) -> bool:
        if next(answers) == 8:
            raise raised
        return keep(self, stored, result)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Answers, "keep", breaking)
        ended = ready.json("run", "staff.csv")
    assert ended.status == 4
    assert ended.document["status"] == "failed"
    assert ended.document["job"]["state"] == "failed"
    resumed = ready.json("jobs", "resume", "last")
    assert (resumed.status, resumed.document["job"]["counts"]["created"]) == (0, 20)


@pytest.mark.parametrize("where", ["report", "showing"])
def test_the_report_breaks(ready: Inside, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        if where == "report":
            patch.setattr(working, "report_of", broken)
        else:
            patch.setattr(documents, "of_report", broken)
        ended = ready.json("run", "staff.csv")
    assert (ended.status, ended.document["status"]) == (4, "failed")
    assert ended.document["error"]["code"] == "unexpected"
    assert len(ready.users()) == 20
    assert ready.json("jobs", "list").document["jobs"][0]["state"] == "completed"
