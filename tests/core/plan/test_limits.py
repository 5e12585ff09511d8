"""`[limits]`: what is counted, what a percentage is of, and what becomes of a job that exceeds one."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import SentStatus, engine
from musterroll.engine import in_language
from musterroll.errors import PipelineError, RefusedError
from musterroll.journal.job import JobState
from musterroll.journal.jobs import find_job
from musterroll.journal.journal import Journal
from musterroll.journal.roster import Roster
from musterroll.pipeline.loader import load_pipeline
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.limits import Exceeded, compare
from musterroll.reports.report import Outcome
from support.pipelines import DIRECTORY, Told, Work, addressed, told, user

NAMES = tuple(f"user{number}x" for number in range(10))


def _limited(work: Work, text: str, top: str = "", more: str = "") -> Pipeline:
    return work.pipeline(top, f"{more}\n[limits]\n{text}")


def _refused(done: Told, *parts: str) -> None:
    assert (done.outcome, done.state) == (Outcome.REFUSED, JobState.QUARANTINED)
    assert done.error is not None
    assert done.error.code == "limit.exceeded"
    for part in parts:
        assert part in done.error.message


def _populated(work: Work) -> None:
    """Ten users; the first five in a group, the others in another."""
    groups = [work.portal.add_group("A"), work.portal.add_group("B")]
    for number, name in enumerate(NAMES):
        work.portal.add(name, forename=name.title(), email=f"{name}@old.example", groups=[groups[number // 5]])


@pytest.mark.parametrize(
    ("limit", "more", "rows", "says"),
    [
        ("create = 2", "", [user(f"new{n}") for n in range(3)], "create: 3 users would be created, the limit is 2;"),
        ('create = "29%"', "", [user(f"new{n}") for n in range(3)], "created (30.0 % of the portal's 10 users), the"),
        ("update = 1", "", [user(name, forename="New") for name in NAMES[:2]], "update: 2 users would be updated"),
        ("email_change = 1", "", [addressed(name) for name in NAMES[:2]], "email_change: 2 e-mail addresses would be"),
        ("group_add = 2", "", [user("new", groups="A;B;C")], "group_add: 3 memberships would be added"),
        (
            "group_remove = 0",
            '[membership]\nmode = "replace"',
            [user(NAMES[0], groups="B")],
            "group_remove: 1 membership would be removed",
        ),
        ("new_groups = 2", "", [user("new", groups="C|D|E")], "new_groups: 3 groups would be created"),
        ('new_groups = "50%"', "", [user("new", groups="C;D")], "(100.0 % of the portal's 2 groups), the limit is 50%"),
        (
            "password_reset = 0",
            '[password]\non_existing = "reset"',
            [user(NAMES[0])],
            "password_reset: 1 password would be reset",
        ),
        ("invite = 1", "", [addressed("new1"), addressed("new2")], "invite: 2 invites would be sent"),
        ('invite = "50%"', "", [addressed("new1"), addressed("new2"), user("new3")], "66.7 % of the sheet's 3 rows"),
    ],
    ids=lambda value: value if isinstance(value, str) and "=" in value else None,
)
def test_each_limit_counts_what_it_is_named_after(
    work: Work, limit: str, more: str, rows: list[dict[str, str]], says: str
) -> None:
    _populated(work)
    sheet = work.sheet(*rows)
    pipeline = _limited(work, limit, more=more)
    _refused(work.run(pipeline, sheet), says)
    assert work.portal.handed == []
    plan = work.plan(pipeline, sheet)  # `plan` says the same, with the same exit status
    assert plan.outcome is Outcome.REFUSED
    assert plan.error is not None
    assert says in plan.error.message
    assert plan.changes
    # Without the limit, that sheet is nothing special.
    assert work.run(_limited(work, "", more=more), sheet).outcome is Outcome.OK


@pytest.mark.parametrize("limit", ["create = 3", 'create = "30%"', 'create = "30.0 %"', 'invite = "100%"'])
def test_what_just_reaches_a_limit_does_not_exceed_it(work: Work, limit: str) -> None:
    _populated(work)
    done = work.run(_limited(work, limit), work.sheet(*(addressed(f"new{number}") for number in range(3))))
    assert done.rows == {"created": 3}


def test_a_percentage_of_nothing_is_not_applied(work: Work) -> None:
    limits = 'create = "1%"\nnew_groups = "1%"\ngroup_add = "1%"\nrows_changed = "1%"'
    assert work.run(_limited(work, limits), work.sheet(user("ana", groups="A"))).rows == {"created": 1}
    _refused(work.run(_limited(work, limits), work.sheet(user("bo", groups="B"))), "create:", "new_groups:")


def test_all_exceeded_limits_are_told_and_the_way_on(work: Work) -> None:
    _populated(work)
    rows = [user(NAMES[0], forename="New"), user("new1", groups="C"), user("new2")]
    done = work.run(_limited(work, "create = 1\nupdate = 0\nnew_groups = 0\ninvite = 9"), work.sheet(*rows))
    assert done.job is not None
    _refused(done, "create: 2", "update: 1", "new_groups: 1", f"`musterroll jobs approve {done.job.id}`")
    assert done.error is not None
    assert "invite" not in done.error.message


def test_rejected_rows_have_a_limit_and_a_bad_sheet_comes_first(work: Work) -> None:
    rows = [user("ana"), user("bo", email="nonsense"), user("cy", email="nonsense")]
    done = work.run(_limited(work, 'reject = "50%"', 'on_error = "skip"'), work.sheet(*rows))
    _refused(done, "reject: 2 rows are rejected (66.7 % of the sheet's 3 rows), the limit is 50%")
    assert done.rows == {"rejected": 2, "not_attempted": 1}
    aborted = work.run(_limited(work, "reject = 0"), work.sheet(*rows))
    assert (aborted.outcome, aborted.state) == (Outcome.PROBLEMS, JobState.ABORTED)
    assert work.plan(_limited(work, "reject = 0"), work.sheet(*rows)).outcome is Outcome.PROBLEMS


def test_a_portal_that_cannot_count_its_users_is_told_before_anything_happens(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("support.faults.FaultyBackend.count_users", lambda self: None)
    sheet = work.sheet(user("ana"))
    for command in (engine.plan, engine.run):
        with pytest.raises(PipelineError, match=r"limits\.update: this portal cannot say how many users it has"):
            command(_limited(work, 'update = "20%"'), sheet)
    assert engine.list_jobs(_limited(work, "")) == []
    assert work.run(_limited(work, "update = 20"), sheet).rows == {"created": 1}


def test_an_undo_is_held_to_numbers_too_and_leaves_no_trace(work: Work) -> None:
    sheet = work.sheet(user("ana"), user("bo"), user("cy"))
    assert work.run(_limited(work, "deactivate = 2"), sheet).rows == {"created": 3}
    before = len(engine.list_jobs(_limited(work, "")))
    for limit in ("deactivate = 2", 'deactivate = "50%"'):
        with pytest.raises(RefusedError, match="deactivate: 3 users would be deactivated"):
            work.undo(_limited(work, limit))
    assert len(engine.list_jobs(_limited(work, ""))) == before
    assert work.undo(_limited(work, "deactivate = 3\nrows_changed = 0")).rows == {"deactivated": 3}


# -- drift ----------------------------------------------------------------------------------------------------

DRIFT = 'rows_changed = "40%"'


def test_a_sheet_that_differs_too_much_from_the_last_completed_one_is_stopped(work: Work) -> None:
    rows = [addressed(name, groups="A") for name in NAMES]
    pipeline = _limited(work, DRIFT, more='[password]\nrequired = "never"')
    assert work.run(pipeline, work.sheet(*rows)).rows == {"created": 10}
    # Another order, another spelling of the username, and no password any more: that is no difference.
    same = [{**row, "username": row["username"].upper(), "password": ""} for row in rows[::-1]]
    assert work.run(pipeline, work.sheet(*same)).rows == {"unchanged": 10}
    changed = [{**row, "surname": "New"} for row in rows[:4]] + rows[4:]
    assert work.run(pipeline, work.sheet(*changed)).rows == {"updated": 4, "unchanged": 6}
    # Two are gone, two are new, one has changed: 5 of 12.
    drifted = [{**changed[0], "groups": "B"}, *changed[1:8], addressed("new1"), addressed("new2")]
    done = work.run(pipeline, work.sheet(*drifted))
    _refused(done, "rows_changed: 5 users differ from the last completed sheet (41.7 % of the 12 users of this sheet")
    # A stopped sheet is not the last completed one: the same again differs as much.
    _refused(work.run(pipeline, work.sheet(*drifted)), "41.7 %")
    assert work.run(_limited(work, 'rows_changed = "50%"'), work.sheet(*drifted)).outcome is Outcome.OK
    assert work.run(pipeline, work.sheet(*drifted)).rows == {"unchanged": 10}


def test_sheets_are_compared_even_if_the_limit_is_set_later(work: Work) -> None:
    work.run(work.pipeline(), work.sheet(*map(user, NAMES)))
    _refused(work.run(_limited(work, DRIFT), work.sheet(*map(user, NAMES[:5]))), "rows_changed: 5")


def test_a_job_that_did_not_end_is_no_completed_sheet_but_one_with_failures_is(work: Work) -> None:
    first, second = work.sheet(*map(addressed, NAMES)), work.sheet(*map(addressed, NAMES[:5]), name="half.csv")
    work.post.status = lambda message: ConnectionError("the line is dead")
    assert work.run(work.pipeline(), first).state is JobState.FAILED
    assert work.run(_limited(work, DRIFT), second).outcome is not Outcome.REFUSED
    work.post.status = lambda message: SentStatus.FAILED if message.recipient else SentStatus.SENT
    assert work.run(work.pipeline(), first).state is JobState.COMPLETED_WITH_ERRORS
    _refused(work.run(_limited(work, DRIFT), second), "rows_changed: 5")


def test_only_what_the_sheet_says_makes_a_difference(work: Work) -> None:
    sheet = work.sheet(*map(user, NAMES), without=["email"])
    defaults = '[sheet.defaults]\nsurname = "Silva"\n[sheet.compose]\nemail = "{username}@example.com"'
    assert work.run(work.pipeline(tables='[sheet]\nomit = ["email"]'), sheet).rows == {"created": 10}
    assert work.run(_limited(work, DRIFT, more=defaults), sheet).rows == {"updated": 10}


def test_the_last_sheet_outlives_its_job(work: Work) -> None:
    work.run(work.pipeline(), work.sheet(*map(user, NAMES)))
    journal = Journal.open(work.state, "acme")
    with journal.transaction():
        find_job(journal, "last").discard()
    journal.close()
    _refused(work.run(_limited(work, DRIFT), work.sheet(*map(user, NAMES[:5]))), "50.0 % of the 10 users")


def test_a_renamed_user_has_changed_and_is_not_another_one(work: Work) -> None:
    top = 'match = ["staff_number", "username"]'
    field = '[[sheet.fields]]\nname = "staff_number"\nheading = "staff_number"\n'
    rows = [user(name, staff_number=f"s{number}") for number, name in enumerate(NAMES)]
    pipeline = _limited(work, "rows_changed = 1", top, field)
    work.run(pipeline, work.sheet(*rows, others=["staff_number"]))
    rows[0] = {**rows[0], "username": "renamed"}
    assert work.run(pipeline, work.sheet(*rows, others=["staff_number"])).rows == {"updated": 1, "unchanged": 9}


def test_nothing_of_a_row_is_kept_for_the_comparison(work: Work) -> None:
    work.run(_limited(work, DRIFT), work.sheet(addressed("ana", surname="Zanzibar", phone="")))
    rows = [addressed("ana", surname="Zanzibar"), user("bo", email="bad", surname="Quetzalcoatl")]
    work.run(_limited(work, DRIFT, 'on_error = "skip"'), work.sheet(*rows))
    kept = b"".join(path.read_bytes() for path in work.state.iterdir())
    assert b"Quetzalcoatl" not in kept  # of a rejected row there is nothing but its username


def test_a_sheet_that_was_taken_back_is_not_the_last_one(work: Work) -> None:
    pipeline = _limited(work, DRIFT)
    work.run(pipeline, work.sheet(*map(user, NAMES)))
    assert work.undo(work.pipeline()).outcome is Outcome.OK
    top = 'on_inactive = "reactivate"'
    assert work.run(_limited(work, DRIFT, top), work.sheet(*map(user, NAMES[:5]))).rows == {"updated": 5}


# -- numbers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("update = -1", "limits.update: must be at least 0"),
        ('update = "120%"', "limits.update: a percentage is from 0% to 100%"),
        ('update = "-5%"', "limits.update: a percentage is from 0% to 100%"),
        ('update = "20"', "limits.update: should be a whole number, or a percentage as text"),
        ("update = 2.5", "limits.update: should be a whole number, or a percentage as text"),
        ("update = true", "limits.update: should be a whole number, or a percentage as text"),
        ('update = "many"', "limits.update: should be a whole number, or a percentage as text"),
        ("updates = 3", 'limits.updates: unknown option, did you mean "update"?'),
    ],
)
def test_mistakes_are_found_when_the_pipeline_is_loaded(work: Work, text: str, message: str) -> None:
    with pytest.raises(PipelineError) as caught:
        _limited(work, text)
    assert [message in str(mistake) for mistake in caught.value.mistakes] == [True]


def test_a_limit_of_the_command_line_wins(work: Work) -> None:
    _limited(work, "update = 1")
    for text, expected in (("20%", "20%"), ("5", 5), ('"12.5 %"', "12.5 %")):
        pipeline = load_pipeline(work.folder / "acme.toml", sets=[f"limits.update={text}"])
        assert pipeline.settings.limits.update == expected


@given(count=st.integers(1, 10**6), total=st.integers(1, 10**6), percent=st.decimals(0, 100, places=2))
def test_what_exceeds_a_percentage_looks_greater_than_it(count: int, total: int, percent: Decimal) -> None:
    if count * 100 <= percent * total:
        return
    text = str(Exceeded("update", f"{percent}%", count, total))
    shown = Decimal(text.partition("(")[2].partition(" %")[0].replace(",", ""))
    assert shown > percent


_sheets = st.dictionaries(st.binary(max_size=2), st.binary(max_size=1), max_size=8)


@given(one=_sheets, other=_sheets)
def test_two_sheets_are_compared_user_by_user(one: dict[bytes, bytes], other: dict[bytes, bytes]) -> None:
    everybody = one.keys() | other.keys()
    differing = [who for who in everybody if one.get(who) != other.get(who)]
    found = compare(iter(sorted(one.items())), iter(sorted(other.items())))
    assert found == (len(differing), len(everybody))


def test_a_new_journal_has_no_last_sheet() -> None:
    with closing(Journal.temporary()) as journal:
        roster = Roster(journal, "acme", "portal")
        assert (roster.last_sheet(), list(roster.managed()), list(roster.last_digests())) == (None, [], [])


def _many(work: Work, number: int = 100) -> list[str]:
    names = [f"user{n}x" for n in range(number)]
    for name in names:
        work.portal.add(name, forename=name.title())
    return names


def test_a_wrong_sheet_is_stopped_though_nobody_has_set_a_limit(work: Work) -> None:
    names, pipeline = _many(work), work.pipeline()
    sheet = work.sheet(*(user(name, forename="Slipped") for name in names[:21]), name="slipped.csv")
    _refused(
        work.run(pipeline, sheet),
        "update: 21 users would be updated (21.0 % of the portal's 100 users), the limit is 20% where the pipeline",
        'set under [limits], e.g. update = "50%"',
        "`musterroll jobs approve",
    )
    assert work.portal.handed == []
    assert work.plan(pipeline, sheet).outcome is Outcome.REFUSED
    # What just reaches it is carried out, and so is what a limit of their own allows.
    assert work.run(pipeline, work.sheet(*(user(name, forename="New") for name in names[:20]))).rows == {"updated": 20}
    assert work.run(_limited(work, 'update = "25%"'), sheet).rows == {"updated": 21}


def test_a_sheet_of_which_many_leave_is_stopped_though_nobody_has_set_a_limit(work: Work) -> None:
    names = _many(work)
    column = '[[sheet.fields]]\nname = "active"\nheading = "active"\nrole = "active"'
    pipeline = work.pipeline("", column)

    def leavers(*leaving: str) -> Path:
        return work.sheet(*(user(name, active="no") for name in leaving), others=["active"])

    _refused(
        work.run(pipeline, leavers(*names[:6])),
        "deactivate: 6 users would be deactivated (6.0 % of the portal's 100 users), the limit is 5% where",
        'set under [limits], e.g. deactivate = "50%"',
    )
    assert work.portal.handed == []
    assert work.run(pipeline, leavers(*names[:5])).rows == {"deactivated": 5}


def test_limits_that_nobody_has_set_are_for_portals_with_many_users(work: Work) -> None:
    names = _many(work, 99)
    everybody = [user(name, forename="New") for name in names]
    _refused(work.run(_limited(work, "from_users = 99"), work.sheet(*everybody)), "update: 99")
    # A percentage of one's own holds for a small portal as well, unless one says otherwise.
    _refused(work.run(_limited(work, 'update = "20%"'), work.sheet(*everybody)), "update: 99", "the limit is 20%;")
    assert work.run(_limited(work, 'update = "20%"\nfrom_users = 100'), work.sheet(*everybody)).rows == {"updated": 99}
    newer = [user(name, forename="Newer") for name in names]
    assert work.run(work.pipeline(), work.sheet(*newer)).rows == {"updated": 99}


def test_two_weekly_lists_of_other_joiners_run_without_a_word_about_limits(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A portal that takes long to count its users, or cannot, is not even asked."""
    monkeypatch.setattr("support.faults.FaultyBackend.count_users", lambda self: pytest.fail("was asked"))
    pipeline = work.pipeline()
    for week in range(3):
        sheet = work.sheet(*(addressed(f"joiner{week}of{n}x") for n in range(120)))
        for done in (work.plan(pipeline, sheet), work.run(pipeline, sheet)):
            assert (done.outcome, done.error, done.codes) == (Outcome.OK, None, [])
    assert len(work.portal.store.users) == 360


def test_a_portal_that_cannot_count_its_users_has_no_limits_that_nobody_has_set(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("support.faults.FaultyBackend.count_users", lambda self: None)
    names = _many(work)
    done = work.run(work.pipeline(), work.sheet(*(user(name, forename="New") for name in names)))
    assert done.rows == {"updated": 100}


def test_what_a_limit_that_nobody_has_set_stopped_is_approved_though_rows_were_settled(work: Work) -> None:
    names, pipeline = [f"user{n}x" for n in range(100)], work.pipeline(backend=DIRECTORY)
    work.run(pipeline, work.sheet(*map(addressed, names)))
    work.run(pipeline, work.sheet(*map(addressed, names)))
    stopped = work.run(
        pipeline, work.sheet(*(addressed(name, forename="New") for name in names[:30]), *map(addressed, names[30:]))
    )
    assert stopped.job is not None
    _refused(stopped, "update: 30")
    approved = told(engine.approve(pipeline, stopped.job.id, by="chief"))
    assert approved.rows == {"updated": 30, "unchanged": 70}


def test_an_undo_is_not_stopped_by_limits_that_nobody_has_set(work: Work) -> None:
    _many(work)
    assert work.run(work.pipeline(), work.sheet(*(user(f"new{n}x") for n in range(50)))).rows == {"created": 50}
    assert told(engine.undo(work.pipeline(), "last")).rows == {"deactivated": 50}


def test_deactivating_absent_users_needs_a_limit_of_ones_own(work: Work) -> None:
    with pytest.raises(PipelineError, match='"deactivate" needs a limit'):
        work.pipeline('absent = "deactivate"')


def test_a_percentage_is_said_as_people_write_it() -> None:
    exceeded = Exceeded("update", "2.25 %", 1, 41)
    assert "(2.44 % of the portal's 41 users), the limit is 2.25 %" in str(exceeded)
    with in_language("de"):
        assert "(2,44 % der 41 Benutzer des Portals)" in str(exceeded)
        assert "2,25 %" in str(exceeded)
        assert "2.25" not in str(exceeded)
