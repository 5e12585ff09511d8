"""`protect`: users that nothing ever touches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import fold
from musterroll.errors import PipelineError
from musterroll.portal.patterns import Patterns
from musterroll.reports.report import Outcome
from support.pipelines import Work, addressed, user

PROTECT = 'protect = ["admin*", "ROOT"]'


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (user("Administrator"), 'This username is protected (protect = "admin*" in the pipeline) and is never given'),
        (
            user("ｒｏｏｔ", forename="New"),
            'The user "Root" is protected (protect = "ROOT" in the pipeline) and is never',
        ),
        (user("root", forename="Old", groups="A"), 'The user "Root" is protected'),
        (user("root", forename="Old", password="Another-Pass-7"), 'The user "Root" is protected'),
        (user("admin-retired", forename="Old"), 'The user "admin-retired" is protected'),
    ],
    ids=["create", "update", "group", "reset", "reactivate"],
)
def test_a_row_that_would_touch_a_protected_user_is_an_error(work: Work, row: dict[str, str], says: str) -> None:
    work.portal.add("Root", forename="Old")
    work.portal.add("admin-retired", forename="Old", active=False)
    top = f'{PROTECT}\non_error = "skip"\non_inactive = "reactivate"'
    pipeline = work.pipeline(top, '[password]\non_existing = "reset"')
    done = work.run(pipeline, work.sheet(row, user("ana")))
    assert done.codes == ["username.protected@3"]
    assert done.problems[0].message.startswith(says)
    assert done.problems[0].cell == "B3"
    assert done.rows == {"rejected": 1, "created": 1}
    assert work.portal.user("Root").password is None


@pytest.mark.parametrize(("before", "after"), [("ana", "admin2"), ("admin2", "ana")])
def test_nobody_is_renamed_to_or_from_a_protected_username(work: Work, before: str, after: str) -> None:
    work.portal.add(before, forename="Ana", staff_number="7")
    field = '[[sheet.fields]]\nname = "staff_number"\nheading = "staff_number"'
    pipeline = work.pipeline(f'{PROTECT}\nmatch = ["staff_number", "username"]', field)
    sheet = work.sheet(user(after, forename="Ana", staff_number="7"), others=["staff_number"])
    assert work.run(pipeline, sheet).codes == ["username.protected@3"]
    assert work.portal.names() == [before]


def test_a_row_that_asks_for_nothing_may_name_one_who_is_not_invited_either(work: Work) -> None:
    work.portal.add("root", forename="Root", email="root@example.com")
    done = work.run(work.pipeline(PROTECT, '[invites]\nsend_to = "all"'), work.sheet(addressed("root")))
    assert (done.outcome, done.rows, done.codes) == (Outcome.OK, {"unchanged": 1}, [])
    assert done.reasons == {3: "protected"}
    assert work.post.invited() == []


@pytest.mark.parametrize("absent", ["report", "deactivate"])
def test_a_protected_user_is_never_absent(work: Work, absent: str) -> None:
    work.run(work.pipeline(), work.sheet(user("ana"), user("root"), user("cy")))
    pipeline = work.pipeline(f'{PROTECT}\nabsent = "{absent}"', "[limits]\ndeactivate = 9")
    done = work.run(pipeline, work.sheet(user("ana")))
    absentees = [problem.value for problem in done.problems] + [c.username for c in done.changes if c.row is None]
    assert absentees == ["cy"]
    assert work.portal.user("root").active


def test_an_empty_pattern_is_a_mistake(work: Work) -> None:
    with pytest.raises(PipelineError, match="protect"):
        work.pipeline('protect = ["admin", " "]')


def test_patterns() -> None:
    protection = Patterns(["admin*", "ROOT", "s?c", "[xy]z"])
    assert protection.of("ADMINISTRATOR") == "admin*"
    assert protection.of("ana", "ｒｏｏｔ") == "ROOT"
    assert protection.of("SøC") == "s?c"
    assert protection.of("Yz") == "[xy]z"
    assert protection.of("sysadmin", "rooted", "", "xyz") is None
    assert Patterns([]).of("admin") is None


@given(username=st.text(min_size=1).filter(lambda text: fold(text) and not set(fold(text)) & set("*?[")))
def test_a_username_as_its_own_pattern_protects_it_in_every_spelling(username: str) -> None:
    protection = Patterns([username])
    assert protection.of(username) == username
    assert protection.of(fold(username).upper().lower()) in (username, None)
    assert protection.of(f"{username}x") is None or fold(f"{username}x") == fold(username)
