"""The promises of the design: a test for each. Those of saved plans and retries come with these."""

from __future__ import annotations

import logging
import sqlite3
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from musterroll import CreateUser, Message, Op, SentStatus, engine
from musterroll.errors import MusterrollError, RefusedError, StateError
from musterroll.execute.operations import operation_id
from musterroll.journal.job import JobState
from musterroll.journal.journal import Journal
from musterroll.pipeline.pipeline import Pipeline
from musterroll.reports.report import Outcome
from support.faults import Fault, Post, on
from support.pipelines import DIRECTORY, PASSWORD, Told, Work, addressed, told, user
from support.processes import start, wait_for


def test_invariant_1_validate_and_plan_write_nothing_and_create_no_file(work: Work) -> None:
    sheet = work.sheet(addressed("ana", groups="A|B"), user("bo", email="nonsense"))
    for backend in ("", DIRECTORY):
        pipeline = work.pipeline(backend=backend)
        before = _files(work.folder)
        told(engine.validate(pipeline, sheet))
        work.plan(pipeline, sheet)
        assert _files(work.folder) == before
    assert work.portal.store.writes == 0
    assert work.portal.handed == []


_CAREFUL = """
from musterroll import NotifierType, Options, hookimpl

class Careful:
    channel = "email"
    def __init__(self, options, context):
        with (context.folder / "built").open("a") as file:
            print("plans" if context.read_only else "sends", file=file)
    def can_reach(self, user):
        return True
    def send(self, messages):
        return iter(())
    def close(self):
        pass

@hookimpl
def musterroll_notifiers():
    yield NotifierType(name="careful", summary="", options=Options, build=Careful)
"""


def test_invariant_1_a_notifier_that_plans_is_told_so(work: Work) -> None:
    (work.folder / "careful.py").write_text(_CAREFUL, encoding="utf-8")
    tables = '[[notifiers]]\nname = "careful"\nuse = "careful"'
    pipeline = work.pipeline('invites.send_to = "none"', tables, plugins=["careful.py"])
    built = work.folder / "built"
    work.plan(pipeline, work.sheet(addressed("ana")))
    assert built.read_text().split() == ["plans"]
    work.run(pipeline, work.sheet(addressed("ana")))
    assert built.read_text().split() == ["plans", "plans", "sends"]


# -- 2: the counts add up -------------------------------------------------------------------------------------

_names = st.sampled_from([f"user{letter}x" for letter in "abcdefghijklmnopqrstuvwxyz"])
_rows = st.fixed_dictionaries(
    {
        "username": st.one_of(*[_names] * 20, st.just("")),
        "email": st.sampled_from([*["{}@example.com"] * 12, *[""] * 6, "nonsense"]),
        "groups": st.sampled_from([*["", "A", "A|B", "C;A|B", "c"] * 4, "a|"]),
        "surname": st.sampled_from(["", "Silva"]),
    }
)
_stored = st.dictionaries(_names, st.booleans(), max_size=6)
_faults = st.lists(st.sampled_from([None, None, None, *Fault]), min_size=1, max_size=30)
_posts = st.lists(st.sampled_from([SentStatus.SENT, SentStatus.SENT, *SentStatus, None]), min_size=1, max_size=5)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Work:
    """One working folder for all examples: loading a pipeline takes longer than running it."""
    return Work(tmp_path_factory.mktemp("shared"))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
@pytest.mark.parametrize("on_error", ["abort", "skip"])
def test_invariant_2_every_row_has_one_outcome_and_the_counts_add_up(
    shared: Work, on_error: str, data: st.DataObject
) -> None:
    work = shared
    pipeline = _fresh(work, f'on_error = "{on_error}"\non_inactive = "{data.draw(_inactive)}"', data)
    drawn = data.draw(st.lists(_rows, min_size=1, max_size=12))
    rows = [user(**{**row, "email": row["email"].format(row["username"])}) for row in drawn]
    sheet = work.sheet(*rows)
    faults, posts = iter(data.draw(_faults)), iter(data.draw(_posts))
    doubts = iter(data.draw(st.lists(st.booleans(), max_size=6)))
    work.portal.fault = lambda op: next(faults, None)
    work.portal.doubt = lambda op: next(doubts, False)
    work.portal.shuffle = data.draw(st.none() | st.randoms(use_true_random=False))
    letters: list[str] = []  # to whom one went out, or may have
    work.post.status = lambda message: _posted(message, next(posts, SentStatus.SENT), letters)
    strangers = set(work.portal.names())

    plan = work.plan(pipeline, sheet)
    done = _done(lambda: work.run(pipeline, sheet))
    if done is not None:
        _adds_up(done, len(rows))
        assert done.planned_changes == plan.planned_changes
    # Each user at most once, whatever went wrong.
    folded = [name.casefold() for name in work.portal.names()]
    assert len(folded) == len(set(folded))

    # Everything works again: what can go on, goes on to a good end.
    work.portal.fault, work.portal.doubt = (lambda op: None), (lambda op: False)
    work.post.status = lambda message: _posted(message, SentStatus.SENT, letters)
    if done is not None and done.state is not JobState.ABORTED:
        again = work.resume(pipeline)
        _adds_up(again, len(rows))
        assert not {"unknown", "not_attempted", "failed"} & set(again.rows)
        expected = {row["username"] for row in rows if row["username"]}
        assert set(work.portal.names()) <= expected | strangers
        wanted = {change.username: {"|".join(group.path) for group in change.add} for change in again.changes}
        assert all(work.portal.groups_of(name) >= groups for name, groups in wanted.items())
        invited = {change.username for change in again.changes if change.invite.send}
        third = work.run(pipeline, sheet)
        assert set(third.rows) <= {"unchanged", "rejected"}
        assert sorted(invited) == sorted(letters)  # nobody twice, nobody forgotten


_inactive = st.sampled_from(["error", "update", "reactivate"])


def _fresh(work: Work, top: str, data: st.DataObject) -> Pipeline:
    """The pipeline with a portal, a post and a state as if nothing had happened before."""
    work.portal.reset()
    vars(work.post).update(vars(Post()))
    for name, active in data.draw(_stored).items():
        work.portal.add(name, forename=name.title(), active=active)
    if top not in _PIPELINES:
        _PIPELINES[top] = work.pipeline(top)
    return replace(_PIPELINES[top], state=work.folder / f"state-{next(_NUMBERS)}")


_PIPELINES: dict[str, Pipeline] = {}
_NUMBERS = iter(range(10**9))


def _posted(message: Message, status: SentStatus | None, letters: list[str]) -> SentStatus | None:
    if message.recipient is None:
        return SentStatus.SENT
    if status is not SentStatus.FAILED:
        letters.append(message.recipient.username)
    return status


def _done(command: Callable[[], Told]) -> Told | None:
    try:
        return command()
    except MusterrollError:
        return None  # nothing was handed over


def _adds_up(done: Told, rows: int) -> None:
    assert done.job is not None
    assert done.job.counts.rows == rows == done.counts.rows
    assert sum(done.rows.values()) == rows  # checks that they add up
    assert sum(done.invites.values()) in (0, rows - done.job.counts.rejected)
    assert len(done.changes) == rows - done.job.counts.rejected
    assert done.counts.valid + done.counts.invalid == rows
    bad = {failure.row for failure in done.failures if failure.row is not None and "invite" not in failure.operation}
    assert len(bad) >= done.job.counts.failed


# -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["", DIRECTORY], ids=["memory", "directory"])
def test_invariant_3_the_same_sheet_again_writes_nothing_and_invites_nobody(work: Work, backend: str) -> None:
    work.portal.add("ana", forename="Ana", surname="Silva")
    tables = """
        [password]
        on_existing = "reset"
        [membership]
        mode = "replace"
        [invites]
        send_to = "all"
    """
    pipeline = work.pipeline(tables=tables, backend=backend)
    rows = [addressed("ana", groups="A|B;C"), addressed("Ｂｏ", groups="a|b"), user("cy"), addressed("straße")]
    sheet = work.sheet(*rows)
    assert work.run(pipeline, sheet).outcome is Outcome.OK
    handed, writes, told_ = len(work.portal.handed), work.portal.store.writes, work.post.invited()
    again = work.run(pipeline, sheet)
    assert (again.outcome, again.rows) == (Outcome.OK, {"unchanged": 4})
    assert (len(work.portal.handed), work.portal.store.writes, work.post.invited()) == (handed, writes, told_)
    assert again.groups_to_create == ()


def test_invariant_4_nothing_is_handed_over_before_its_intent_is_on_the_disk(work: Work) -> None:
    """What the kills of `tests/end_to_end` rest on: seen from outside, by a connection of its own."""

    def seen(query: str, *values: str) -> list[str]:
        with closing(sqlite3.connect(work.journal)) as db:
            return [str(value) for (value,) in db.execute(query, values)]

    def before(op: Op) -> None:
        (job,) = seen("SELECT id FROM job")
        assert op.id in {
            operation_id(job, int(seq)) for seq in seen("SELECT seq FROM operation WHERE state = 'intent'")
        }

    def status(message: Message) -> SentStatus:
        if message.recipient is not None:
            assert seen("SELECT state FROM invite WHERE message = ?", message.id) == ["sending"]
            # An answer is on the disk before the next message goes out, or a crash would hold more than there is doubt.
            sent = [other.id for other in work.post.sent[:-1]]
            assert set(seen("SELECT message FROM invite WHERE state = 'sent'")) == set(sent)
        return SentStatus.SENT

    work.portal.before, work.post.status = before, status
    done = work.run(work.pipeline(), work.sheet(*(addressed(f"user{n}x", groups=f"A|B{n}") for n in range(70))))
    assert (done.rows, done.invites) == ({"created": 70}, {"sent": 70})


def test_invariant_6_two_at_once_and_a_killed_one_blocks_nobody(work: Work) -> None:
    sheet = work.sheet(*(user(f"user{number}x") for number in range(20)))
    code = """
from support.pipelines import DIRECTORY, Work
from musterroll import engine

def confirm(summary):
    print("asking", flush=True)
    sys.stdin.read()

engine.run(Work(folder).pipeline(backend=DIRECTORY), folder / "staff.csv", confirm=confirm)
"""
    pipeline = work.pipeline(backend=DIRECTORY)
    with start(code, work.folder) as other:
        wait_for(other, "asking")
        with pytest.raises(RefusedError):
            engine.run(pipeline, sheet)
        with pytest.raises(RefusedError):
            engine.resume(pipeline, "last")
        assert [job.state for job in engine.list_jobs(pipeline)] == [JobState.RUNNING]
        other.kill()
        other.wait()
    assert [job.state for job in engine.list_jobs(pipeline)] == [JobState.INTERRUPTED]
    assert work.run(pipeline, sheet).rows == {"created": 20}


@pytest.mark.parametrize("backend", ["", DIRECTORY], ids=["memory", "directory"])
def test_invariant_7_a_limit_exceeded_writes_nothing_until_that_very_plan_is_approved(work: Work, backend: str) -> None:
    def limited(text: str) -> Pipeline:
        return work.pipeline('absent = "deactivate"', f"[limits]\ndeactivate = 0\n{text}", backend=backend)

    rows = [addressed(name, groups="A") for name in ("ana", "bo", "cy")]
    assert work.run(limited(""), work.sheet(*rows)).outcome is Outcome.OK
    before = _written(work)
    changed = [{**rows[0], "surname": "Silva"}, {**rows[1], "surname": "Costa"}, addressed("eve", groups="B|C")]
    sheet = work.sheet(*changed)
    pipeline = limited("create = 0\nupdate = 1\nnew_groups = 1")

    def never(summary: engine.PlanSummary) -> bool:
        raise AssertionError("no agreement helps here, so there is nothing to ask")

    done = work.run(pipeline, sheet, confirm=never)
    assert (done.outcome, done.state) == (Outcome.REFUSED, JobState.QUARANTINED)
    assert done.rows == {"not_attempted": 3}
    assert len(done.changes) == 4  # the whole plan is kept, the absent user too
    with closing(sqlite3.connect(work.journal)) as db:
        assert db.execute("SELECT planned FROM job WHERE state = 'quarantined'").fetchall() == [(0,)]
        assert db.execute(
            "SELECT count(*) FROM operation AS o JOIN job AS j ON j.id = o.job AND NOT j.planned"
        ).fetchone() == (0,)
    with pytest.raises(RefusedError):
        engine.resume(pipeline, "last")
    assert _written(work) == before

    # The approval is bound to the plan: with another sheet it is void.
    work.sheet(*changed, addressed("fay"))
    with pytest.raises(RefusedError):
        engine.approve(pipeline, "last", by="Dilys")
    assert _written(work) == before
    work.sheet(*changed)
    through = told(engine.approve(pipeline, "last", by="Dilys"))
    assert through.rows == {"updated": 2, "created": 1, "deactivated": 1}
    assert through.planned_changes == done.planned_changes
    assert _written(work) != before
    assert work.run(pipeline, sheet).rows == {"unchanged": 3}


def _written(work: Work) -> object:
    """What the portal holds, and how often it was written to."""
    directory = work.folder / "users.db"
    if not directory.exists():
        return work.portal.store.writes, len(work.portal.handed), len(work.post.invited())
    with closing(sqlite3.connect(directory)) as db:
        return list(db.iterdump()), len(work.post.invited())


def test_invariant_8_a_portal_that_ignores_filters_never_gets_the_wrong_user_changed(work: Work) -> None:
    names = [f"user{number}x" for number in range(30)]
    for name in names:
        work.portal.add(name, forename="Old", email=f"{name}@example.com")
    work.portal.ignores_filters = True
    done = work.run(work.pipeline(), work.sheet(user("USER7X", forename="New"), user("newcomer", forename="New")))
    assert done.rows == {"updated": 1, "created": 1}
    changed = {user.username for user in work.portal.store.users.values() if user.fields["forename"] == "New"}
    assert changed == {"user7x", "newcomer"}


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.UNKNOWN, Fault.CONFLICT])
def test_invariant_9_a_reset_after_the_portal_committed_makes_no_duplicate(work: Work, fault: Fault) -> None:
    def lost(op: Op) -> Fault | None:
        return fault if isinstance(op, CreateUser) else Fault.LOST

    work.portal.fault = lost
    names = [f"user{number}x" for number in range(100)]
    pipeline, sheet = work.pipeline(), work.sheet(*(addressed(name, groups="A|B") for name in names))
    done = work.run(pipeline, sheet)
    assert done.outcome is Outcome.OK
    assert done.rows == {"created": 100}
    assert sorted(names) == work.portal.names()
    assert sorted(work.post.invited()) == sorted(names)  # and everybody is told, once
    assert all(work.portal.groups_of(name) == {"A|B"} for name in names)


def test_invariant_10_no_room_for_the_journal_is_a_clean_stop_at_any_write(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite itself refuses to grow; real disks are filled by `tests/end_to_end/test_disk_full.py`."""
    room: int | None = None
    opened = Journal.open

    def small(folder: Path, name: str) -> Journal:
        journal = opened(folder, name)
        if room is not None:
            (used,) = journal.execute("PRAGMA page_count").fetchone()
            journal.execute(f"PRAGMA max_page_count = {used + room}")
        return journal

    monkeypatch.setattr(Journal, "open", small)
    base = work.pipeline()
    names = [f"user{number}x" for number in range(80)]
    sheet = work.sheet(*(addressed(name, groups=f"A|{name}") for name in names))
    stopped = {"before the first write": 0, "after it": 0}
    for pages in (0, 1, 2, 3, 4, 6):
        work.portal.reset()
        work.post.sent.clear()
        pipeline, room = replace(base, state=work.folder / f"state-{pages}"), pages
        try:
            error = work.run(pipeline, sheet).error
        except StateError as refusal:
            error = refusal
        assert error is None or isinstance(error, StateError)
        if error is not None:
            stopped["after it" if work.portal.handed else "before the first write"] += 1
        room = None
        if engine.list_jobs(pipeline):
            work.resume(pipeline)
        last = work.run(pipeline, sheet)
        assert set(last.rows) <= {"created", "unchanged"}, pages
        assert sorted(work.portal.names()) == sorted(names)
        assert len(set(work.post.invited())) == len(work.post.invited())
    assert all(stopped.values()), stopped


@pytest.mark.parametrize(
    "fault", [None, Fault.FAILED, Fault.BREAKS, Fault.ERROR, Fault.UNAVAILABLE, Fault.UNKNOWN, Fault.TWICE]
)
def test_invariant_11_a_password_is_found_nowhere_but_in_the_backend_call(
    work: Work, fault: Fault | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    texts: list[str] = []
    work.portal.fault = on(CreateUser, fault, username="bo") if fault is not None else lambda op: None
    work.portal.doubt = lambda op: True
    work.portal.add("ana", forename="Ana")
    tables = """
        [password]
        on_existing = "reset"
        [[validators]]
        name = "password"
        use = "password"
        options = { min_length = 30 }
    """
    rows = [user("ana"), user("bo"), user("cy"), user("dee", email="nonsense")]
    for top, more in (('on_error = "skip"', ""), ("", ""), ("", tables)):
        pipeline = work.pipeline(top, more or tables.split("[[", maxsplit=1)[0])
        for command in (engine.validate, engine.plan, engine.run):
            with _noting_exceptions(texts), command(pipeline, work.sheet(*rows)) as report:
                texts.append(repr(report))
                texts += map(repr, (*report.problems(), *(report.changes() if report.changes else ())))
                texts += map(repr, report.job.failures() if report.job else ())
    work.portal.fault = lambda op: None
    with _noting_exceptions(texts):
        texts.append(repr(work.resume(work.pipeline())))
    texts += map(repr, work.portal.handed)
    texts += map(repr, work.post.sent)
    texts.append(caplog.text)
    assert any(op.password is not None for op in work.portal.handed if isinstance(op, CreateUser))
    assert not [text for text in texts if PASSWORD in text]
    sheet = work.folder / "staff.csv"
    kept = [path for path in work.folder.rglob("*") if path.is_file() and path != sheet]
    assert work.journal in kept
    assert not [path for path in kept if PASSWORD.encode() in path.read_bytes()]


@contextmanager
def _noting_exceptions(texts: list[str]) -> Iterator[None]:
    try:
        yield
    except MusterrollError as error:
        texts += [repr(error), error.message, "".join(traceback.format_exception(error))]


@settings(max_examples=60, deadline=None)
@given(
    # Some begin as workbooks do, or as texts of an encoding that the rest then does not keep to.
    start=st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"\xff\xfe", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]),
    data=st.one_of(st.binary(max_size=400), st.text(max_size=200).map(str.encode)),
    name=st.sampled_from("ab"),
)
def test_invariant_12_any_bytes_are_problems_or_one_clear_line(
    shared: Work, start: bytes, data: bytes, name: str
) -> None:
    sheet = shared.folder / f"{name}.csv"
    sheet.write_bytes(start + data)
    if "bytes" not in _PIPELINES:
        _PIPELINES["bytes"] = shared.pipeline()
    pipeline = replace(_PIPELINES["bytes"], state=shared.folder / "state-bytes")
    lines: list[str] = []
    for command in (engine.validate, engine.plan, engine.run):
        try:
            with command(pipeline, sheet) as report:
                assert report.outcome is Outcome.PROBLEMS
                assert list(report.problems())
        except MusterrollError as error:
            lines.append(error.message)
    assert all(line and "\n" not in line for line in lines)


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if "__pycache__" not in path.parts}
