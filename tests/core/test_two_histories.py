"""What happened according to the journal, and what the portal, the disk or the clock say."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from musterroll import AddMembers, CreateUser, Op, SentStatus, engine
from musterroll.errors import RefusedError, StateError
from musterroll.journal.job import JobState
from musterroll.pipeline.pipeline import Pipeline
from musterroll.reports.report import Outcome
from support.faults import Fault
from support.pipelines import DIRECTORY, Work, addressed, told, user

# -- a portal that was restored from a backup ---------------------------------------------------------------------


def _restored(work: Work, sheet: Path, **options: str) -> Pipeline:
    """Runs a sheet, and puts the directory back that was there before."""
    pipeline = work.pipeline(backend=DIRECTORY, **options)
    work.run(pipeline, work.sheet(user("zed"), name="first.csv"))
    backup = (work.folder / "users.db").read_bytes()
    work.run(pipeline, sheet)
    (work.folder / "users.db").write_bytes(backup)
    return pipeline


def test_who_was_lost_by_the_portal_with_an_invite_in_doubt_gets_none_before_that_is_settled(work: Work) -> None:
    work.post.status = lambda message: None
    sheet = work.sheet(addressed("ana"))
    pipeline = _restored(work, sheet)
    work.post.status = lambda message: SentStatus.SENT
    plan = work.plan(pipeline, sheet)
    assert (plan.change(3).action, plan.reasons[3]) == ("create", "the last invite is held")
    assert work.run(pipeline, sheet).rows == {"created": 1}
    assert work.post.invited() == ["ana"]  # the one that is in doubt


def test_nobody_is_invited_again_whom_the_portal_has_lost(work: Work) -> None:
    sheet = work.sheet(addressed("ana"), addressed("bo"), user("cy"))
    pipeline = _restored(work, sheet)
    plan = work.plan(pipeline, sheet)
    assert plan.codes == ["user.lost@3", "user.lost@4"]  # cy had no invite
    assert (plan.reasons[3], plan.reasons[4]) == ("already invited", "already invited")
    again = work.run(pipeline, sheet)
    assert (again.rows, again.invites) == ({"created": 3}, {"skipped": 3})
    # They have new ids now, and are still not new to the ledger.
    assert work.run(pipeline, sheet).rows == {"unchanged": 3}
    told(engine.send_invites(pipeline))
    assert work.post.invited() == ["ana", "bo"]
    told(engine.send_invites(pipeline, users=["ana"], resend=True))
    assert work.post.invited() == ["ana", "bo", "ana"]


def test_an_invite_that_has_expired_keeps_nobody_out(work: Work) -> None:
    sheet = work.sheet(addressed("ana"))
    pipeline = _restored(work, sheet)
    work.clock.pass_days(15)
    assert work.plan(pipeline, sheet).codes == []
    assert work.run(pipeline, sheet).invites == {"sent": 1}


def test_whoever_gets_the_name_and_another_address_is_somebody_else(work: Work) -> None:
    pipeline = _restored(work, work.sheet(addressed("ana")))
    other = work.sheet(user("ana", email="ana.other@example.com"), name="other.csv")
    assert work.run(pipeline, other).invites == {"sent": 1}


def test_people_who_share_an_address_are_all_invited(work: Work) -> None:
    pipeline = work.pipeline(backend=DIRECTORY)
    work.run(pipeline, work.sheet(user("mum", email="home@example.com")))
    assert work.run(pipeline, work.sheet(user("kid", email="home@example.com"))).invites == {"sent": 1}


def test_the_address_and_the_name_that_a_user_has_by_now_count(work: Work) -> None:
    match = 'match = ["staff_number", "username"]\n[[sheet.fields]]\nname = "staff_number"\nheading = "staff_number"'
    pipeline = work.pipeline(match, backend=DIRECTORY)
    others = ["staff_number"]
    work.run(pipeline, work.sheet(user("zed"), name="zed.csv", others=others))
    backup = (work.folder / "users.db").read_bytes()
    work.run(pipeline, work.sheet(addressed("ana", staff_number="7"), others=others))
    moved = work.sheet(user("ana.berg", email="berg@example.com", staff_number="7"), name="moved.csv", others=others)
    assert work.run(pipeline, moved).rows == {"updated": 1}
    (work.folder / "users.db").write_bytes(backup)
    assert work.plan(pipeline, moved).codes == ["user.lost@3"]
    renamed = work.sheet(user("a.berg", email="berg@example.com", staff_number="7"), name="renamed.csv", others=others)
    assert work.plan(pipeline, renamed).codes == ["user.lost@3"]


# -- a state folder that vanishes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["deleted", "moved", "replaced"])
def test_a_state_folder_that_vanishes_stops_the_job(work: Work, how: str) -> None:
    pipeline = work.pipeline()
    sheet = work.sheet(*(addressed(f"user{number}x", groups="A") for number in range(300)))
    away = work.folder / "away"

    def vanish(op: Op) -> Fault | None:
        if isinstance(op, CreateUser) and op.user.username == "user70x" and not away.exists():
            shutil.copytree(work.state, away) if how == "deleted" else work.state.rename(away)
            if how == "deleted":
                shutil.rmtree(work.state)
            elif how == "replaced":
                shutil.copytree(away, work.state)
        return None

    work.portal.fault = vanish
    done = work.run(pipeline, sheet)
    assert done.outcome is Outcome.FAILED
    assert done.error is not None
    assert done.error.code == "state.gone"
    assert "\n" not in done.error.message
    assert len(work.portal.store.users) < 300  # it did not go on to the end
    assert work.post.invited() == []
    if how == "moved":
        work.portal.fault = lambda op: None
        away.rename(work.state)
        assert work.resume(pipeline).rows == {"created": 300}


def test_a_state_folder_that_vanishes_before_the_first_write(work: Work) -> None:
    pipeline, sheet = work.pipeline(), work.sheet(addressed("ana"))

    def confirm(summary: engine.PlanSummary) -> bool:
        shutil.rmtree(work.state)
        return True

    with pytest.raises(StateError) as error:
        work.run(pipeline, sheet, confirm=confirm)
    assert error.value.code == "state.gone"
    assert work.portal.store.users == {}


# -- a clock that is set back -------------------------------------------------------------------------------------


def test_a_clock_that_is_set_back_changes_no_order(work: Work) -> None:
    pipeline = work.pipeline()
    work.run(pipeline, work.sheet(addressed("ana"), name="ana.csv"))
    work.clock.now -= dt.timedelta(days=400)
    work.run(pipeline, work.sheet(addressed("bo"), name="bo.csv"))
    assert [Path(job.sheet).name for job in engine.list_jobs(pipeline)] == ["bo.csv", "ana.csv"]
    work.undo(pipeline, "last")
    assert {one.username: one.active for one in work.portal.store.users.values()} == {"ana": True, "bo": False}


def test_a_clock_that_is_set_back_lets_no_superseded_job_go_on(work: Work) -> None:
    pipeline = work.pipeline()
    work.portal.fault = lambda op: Fault.UNAVAILABLE if isinstance(op, AddMembers) else None
    first = work.run(pipeline, work.sheet(addressed("ana", groups="A")))
    assert first.job is not None
    assert first.state is JobState.PAUSED
    work.portal.fault = lambda op: None
    work.clock.now -= dt.timedelta(days=1)
    work.run(pipeline, work.sheet(addressed("ana", groups="A")))
    with pytest.raises(RefusedError, match="later job"):
        work.resume(pipeline, first.job.id)
    assert work.post.invited().count("ana") <= 1
