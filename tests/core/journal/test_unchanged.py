"""A night in which nothing changes costs the journal next to nothing, and is shown all the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from musterroll import engine
from musterroll.journal.change import Action
from support.pipelines import Work, addressed, told, user


def _size(work: Work) -> int:
    """The bytes that are in use; the file itself also has pages that the next job will take."""
    with closing(sqlite3.connect(work.journal)) as db:
        ((pages,), (free,), (size,)) = (
            db.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "freelist_count", "page_size")
        )
    return int((pages - free) * size)


def test_an_unchanged_night_costs_nearly_nothing(work: Work) -> None:
    pipeline = work.pipeline(tables='[invites]\nsend_to = "none"')
    rows = [addressed(f"user{number:05}", groups="A") for number in range(3000)]
    sheet = work.sheet(*rows)
    work.run(pipeline, sheet)
    first = _size(work)
    night = work.run(pipeline, sheet)
    assert night.rows == {"unchanged": 3000}
    second = _size(work)
    assert second - first < 100_000  # it was 900,000
    for _ in range(3):
        work.run(pipeline, sheet)
    assert _size(work) - second < 32_000
    rows[1500] = addressed("somebody", groups="A")
    assert work.run(pipeline, work.sheet(*rows)).rows == {"created": 1, "unchanged": 2999}
    assert _size(work) - second < 60_000
    for job in engine.list_jobs(pipeline)[1:4]:
        shown = told(engine.show_job(pipeline, job.id))
        assert shown.rows == {"unchanged": 3000}
        assert shown.changes == night.changes
        assert len(shown.changes) == 3000
        assert shown.changes[0].invite.reason == "invites are off"


def test_unchanged_rows_stay_in_the_order_of_the_sheet(work: Work) -> None:
    pipeline = work.pipeline('on_error = "skip"')
    work.run(pipeline, work.sheet(addressed("ana"), user("bo"), addressed("cy")))
    done = work.run(
        pipeline, work.sheet(addressed("ana"), user("dee"), user("bo"), user("eve", email="x"), addressed("cy"))
    )
    assert [(one.row, one.username, one.action) for one in done.changes] == [
        (3, "ana", Action.UNCHANGED),
        (4, "dee", Action.CREATE),
        (5, "bo", Action.UNCHANGED),
        (7, "cy", Action.UNCHANGED),
    ]
    assert done.rows == {"created": 1, "unchanged": 3, "rejected": 1}
    story = engine.explain_row(pipeline, "last", 5)
    assert (story.username, story.outcome) == ("bo", "unchanged")
    assert story.change is not None
    assert story.change.invite.reason == "no address or number that a notifier can use"


def test_an_aborted_sheet_night_after_night(work: Work) -> None:
    pipeline = work.pipeline()
    good = [addressed(f"user{number:05}") for number in range(1000)]
    work.run(pipeline, work.sheet(*good))
    bad = work.sheet(*good, user("eve", email="x"))
    done = work.run(pipeline, bad)
    assert done.rows == {"not_attempted": 1000, "rejected": 1}
    size = _size(work)
    for _ in range(3):
        assert work.run(pipeline, bad).rows == {"not_attempted": 1000, "rejected": 1}
    assert _size(work) - size < 60_000  # three nights; the rows alone would be 500,000


def test_what_jobs_share_is_forgotten_with_the_last_of_them(work: Work) -> None:
    pipeline, sheet = work.pipeline(), work.sheet(addressed("ana"), addressed("bo"))
    for _ in range(4):
        work.run(pipeline, sheet)
    assert len(engine.prune(pipeline).jobs) == 3
    assert [one.username for one in told(engine.show_job(pipeline, "last")).changes] == ["ana", "bo"]
    work.run(pipeline, work.sheet(addressed("cy")))
    work.run(pipeline, work.sheet(addressed("cy")))
    engine.prune(pipeline)
    assert [one.username for one in told(engine.show_job(pipeline, "last")).changes] == ["cy"]
