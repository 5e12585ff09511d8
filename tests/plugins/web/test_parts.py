"""Parts of the pages that need no server."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll.engine import Action, JobCounts, JobKind, JobState
from musterroll_plugins.web import words
from musterroll_plugins.web.desk import Desk, Upload, Work
from musterroll_plugins.web.people import Who
from musterroll_plugins.web.private import ID, new_id
from musterroll_plugins.web.uploads import shown_name


def test_every_state_kind_action_and_count_has_its_words() -> None:
    assert set(words.STATES) == {state.value for state in JobState}
    assert set(words.KINDS) == {kind.value for kind in JobKind}
    assert {action.value for action in Action} <= set(words.OUTCOMES)
    assert list(words.COUNTS) == list(JobCounts.__dataclass_fields__)
    assert set(words.MARKS) <= set(words.STATES)


def test_an_upload_of_an_earlier_version_is_one_of_people() -> None:
    """Then a name alone was stored."""
    told = {"id": new_id(), "customer": "acme", "at": "", "name": "staff.csv", "file": "sheet.csv", "sets": []}
    upload = Upload.stored({**told, "by": "ana"})
    assert (upload.by, upload.imported_by, upload.resumed_by) == (Who("ana"), Who("ana"), {})
    upload = Upload.stored({**told, "by": "ana", "began_by": "bo", "resumed_by": {"x": "cy"}})
    assert (upload.imported_by, upload.resumed_by) == (Who("bo"), {"x": Who("cy")})


@given(st.text(max_size=300))
def test_a_name_that_is_shown_is_one_line_without_folders(name: str) -> None:
    shown = shown_name(name)
    assert len(shown) <= 120
    assert "/" not in shown
    assert "\\" not in shown
    assert shown.isprintable()


@given(st.text(max_size=30))
def test_nothing_but_an_id_is_an_id(text: str) -> None:
    assert ID.fullmatch(new_id())
    if ID.fullmatch(text):
        assert set(text) <= set("0123456789abcdef")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "state")


def uploaded(desk: Desk, customer: str = "acme", days: int = 0) -> Upload:
    upload, path = desk.new_upload(customer, Who("ana"), "staff.csv", ".csv")
    path.write_text("x", encoding="utf-8")
    desk.store(upload)
    then = time.time() - days * 24 * 60 * 60
    os.utime(path.parent, (then, then))
    return upload


def test_what_nobody_needs_is_taken_away(desk: Desk) -> None:
    fresh, forgotten, used = uploaded(desk), uploaded(desk, days=8), uploaded(desk, days=400)
    then = time.time() - 2 * 24 * 60 * 60
    for job in ("job1", "gone", "new"):
        desk.view_of_job("acme", job).touch()
        if job != "new":
            os.utime(desk.view_of_job("acme", job), (then, then))
    desk.tidy({"acme": [("job1", str(desk.sheet_of(used)))]})
    assert {one.id for one in desk.uploads("acme")} == {fresh.id, used.id}
    assert desk.upload("acme", forgotten.id) is None
    assert desk.view_of_job("acme", "job1").exists()
    assert not desk.view_of_job("acme", "gone").exists()
    assert desk.view_of_job("acme", "new").exists()  # its job may have begun since


def test_an_upload_is_of_one_customer(desk: Desk) -> None:
    upload = uploaded(desk)
    assert desk.upload("acme", upload.id) == upload
    assert desk.upload("other", upload.id) is None
    assert desk.upload("acme", f"../uploads/{upload.id}") is None
    assert desk.upload_of("acme", str(desk.sheet_of(upload))) == upload
    assert desk.upload_of("acme", "/elsewhere/staff.csv") is None
    assert not desk.holds(desk.folder / "audit.jsonl")


def test_a_work_that_was_cancelled_before_its_turn_never_begins(desk: Desk) -> None:
    async def begin_and_cancel() -> str:
        work = desk.begin(
            Work(customer="acme", kind="run", by=Who("ana"), pipeline="nowhere.toml", sheet="nothing.csv")
        )
        desk.cancel(work)
        await desk.close()
        return desk.standing(work).state

    assert asyncio.run(begin_and_cancel()) == "lost"


def test_no_more_is_begun_than_can_wait(desk: Desk) -> None:
    async def begin() -> int:
        number = 0
        while not desk.is_full:
            work = desk.begin(Work(customer="acme", kind="run", by=Who("ana"), pipeline="", sheet="nothing.csv"))
            desk.cancel(work)
            number += 1
        await desk.close()
        return number

    assert asyncio.run(begin()) == 50


def test_a_pipeline_that_is_gone_is_an_error_of_the_work(desk: Desk) -> None:
    async def do() -> str:
        work = desk.begin(
            Work(customer="acme", kind="run", by=Who("ana"), pipeline="/nowhere.toml", sheet="nothing.csv")
        )
        while desk.standing(work).state != "done":
            await asyncio.sleep(0.05)
        result = desk.standing(work).result
        assert result is not None
        assert not desk.is_imported(
            Upload(id=new_id(), customer="acme", by=Who(""), at="", name="", file="", run=work.id)
        )
        code: str = result["error"]["code"]
        return code

    assert asyncio.run(do()) == "pipeline.not_found"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("too many; if that is meant, `musterroll jobs approve 1` lets it through", "too many"),
        ("zu viele; wenn das so gemeint ist, gibt `musterroll jobs approve 1` diesen Plan frei", "zu viele"),
        ("too many; `run` will refuse this, and say how to let it through", "too many"),
        ("the portal is away; try again", "the portal is away; try again"),
    ],
)
def test_a_page_has_a_button_where_a_message_has_a_command(message: str, shown: str) -> None:
    assert words.why(message) == shown
