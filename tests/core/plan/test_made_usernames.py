"""Usernames that are made: nobody has them twice, and the same person has the same one next time."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musterroll import Capabilities, CreateUser, DeleteUser, Desired, Existing, UserKey, UserRef, engine
from musterroll.errors import PipelineError, StalePlanError
from musterroll.testing import PipelineTrial
from musterroll_plugins.backends.memory.backend import MemoryBackend
from musterroll_plugins.backends.memory.store import MemoryStore

SCHOOL = """
match = {match}
password.required = "never"
invites.send_to = "none"
limits.update = "100%"
{more}
[sheet]
omit = ["email", "password", "calling_code", "phone", "groups"]
make.username = {{ from = {forms}{known_by} }}
[[sheet.fields]]
name = "number"
heading = "Number"
[[sheet.fields]]
name = "born"
heading = "Born"
"""
FORMS = '["{forename|ascii|lower}.{surname|ascii|lower}", "{base}{n}"]'


class _FewFields(MemoryBackend):
    """A portal that keeps names only."""

    def capabilities(self) -> Capabilities:
        return replace(super().capabilities(), fields=frozenset({"forename", "surname"}))


class _Asked(MemoryBackend):
    """A portal that notes what it is asked for."""

    def __init__(self, store: MemoryStore, asked: list[UserKey], *, read_only: bool) -> None:
        super().__init__(store, read_only=read_only)
        self._asked = asked

    def lookup(self, keys: Sequence[UserKey]) -> Mapping[UserKey, Sequence[Existing]]:
        self._asked.extend(keys)
        return super().lookup(keys)


class School(PipelineTrial):
    """A school whose pupils have neither addresses nor usernames."""

    def __init__(
        self,
        folder: Path,
        *,
        more: str = "",
        forms: str = FORMS,
        known_by: str = "",
        match: str = '["number", "username"]',
        keeps_all: bool = True,
        asked: list[UserKey] | None = None,
    ) -> None:
        self.store = MemoryStore()
        kind = MemoryBackend if keeps_all else _FewFields
        pipeline = SCHOOL.format(
            more=more, forms=forms, match=match, known_by=f", known_by = {known_by}" if known_by else ""
        )
        super().__init__(
            folder,
            pipeline,
            backend=lambda read_only: (
                kind(self.store, read_only=read_only)
                if asked is None
                else _Asked(self.store, asked, read_only=read_only)
            ),
        )

    def has(self, username: str, **fields: str) -> None:
        """Puts somebody into the portal whom nobody has imported."""
        user = Desired(username=username, fields=fields)
        list(MemoryBackend(self.store).execute(iter([CreateUser(id=username, user=user, password=None)])))

    def lose(self) -> None:
        """Takes everybody out of the portal, behind the program's back."""
        portal = MemoryBackend(self.store)
        users = [UserRef(user.ref, user.username) for user in portal.all_users()]
        list(portal.execute(iter([DeleteUser(id=user.ref, user=user) for user in users])))


def pupil(number: str, forename: str = "John", surname: str = "Smith", **others: str) -> dict[str, str]:
    return {"Number": number, "Forename": forename, "Surname": surname, **others}


def names(school: School, *pupils: Mapping[str, str]) -> list[str]:
    """Imports a sheet; the usernames in its order."""
    result = school.run(pupils)
    assert result.error is None, result.error
    assert not [one for one in result.problems if one.is_error], result.problems
    return [change.username for change in result.changes]


@pytest.fixture(params=[True, False], ids=["portal keeps the number", "portal does not"])
def school(tmp_path: Path, request: pytest.FixtureRequest) -> School:
    return School(tmp_path, keeps_all=request.param)


def test_two_of_one_name_keep_their_names_in_the_next_list(school: School) -> None:
    assert names(school, pupil("1"), pupil("2"), pupil("3", "Jürgen", "Groß")) == [
        "john.smith",
        "john.smith2",
        "juergen.gross",
    ]
    again = names(school, pupil("9"), pupil("3", "Jürgen", "Groß"), pupil("2"), pupil("1"))
    assert again == ["john.smith3", "juergen.gross", "john.smith2", "john.smith"]
    assert len(school.store.users) == 4


def test_who_marries_keeps_the_username(school: School) -> None:
    names(school, pupil("1"))
    assert names(school, pupil("1", surname="Brown")) == ["john.smith"]
    (user,) = school.users.values()
    assert user.fields["surname"] == "Brown"


def test_a_name_that_the_portal_has_is_not_given_again_and_that_is_said(school: School) -> None:
    school.has("John.Smith", forename="John")
    result = school.run([pupil("1")])
    assert [(one.code, one.is_error) for one in result.problems] == [("username.namesake", True)]
    assert names(school, pupil("1", Username="john.smith2")) == ["john.smith2"]  # as the message says
    assert names(school, pupil("1")) == ["john.smith2"]


def test_whoever_knows_that_all_of_them_are_others_says_so(tmp_path: Path) -> None:
    school = School(tmp_path, more='severity."username.namesake" = "warning"')
    school.has("john.smith")
    assert names(school, pupil("1")) == ["john.smith2"]
    assert school.run([pupil("1")]).problems == ()


def test_another_pupil_of_the_portal_is_no_reason_for_a_warning(school: School) -> None:
    names(school, pupil("1"))
    assert names(school, pupil("2")) == ["john.smith2"]
    assert school.run([pupil("2")]).problems == ()


def test_a_name_that_is_typed_counts_and_is_remembered(school: School) -> None:
    assert names(school, pupil("1", Username="smithy"), pupil("2")) == ["smithy", "john.smith"]
    assert names(school, pupil("2"), pupil("1")) == ["john.smith", "smithy"]


def test_a_name_that_is_typed_further_down_is_an_error_and_no_second_user(school: School) -> None:
    result = school.run([pupil("1"), pupil("2", Username="john.smith")])
    assert [one.code for one in result.problems] == ["username.duplicate"]
    assert not school.store.users


def test_two_rows_that_cannot_be_told_apart_are_an_error(tmp_path: Path) -> None:
    school = School(tmp_path, known_by='["forename", "surname", "born"]')
    both = [pupil("", Born="2012-03-01"), pupil("", Born="2012-03-01")]
    result = school.run(both)
    assert [(one.code, one.row) for one in result.problems] == [("username.duplicate", 4)]
    assert "Forename, Surname, Born" in result.problems[0].message
    assert not school.store.users


@pytest.mark.parametrize("keeps_all", [True, False])
def test_several_fields_together_tell_people_apart(tmp_path: Path, keeps_all: bool) -> None:
    school = School(tmp_path, known_by='["forename", "surname", "born"]', keeps_all=keeps_all)
    elder, younger = pupil("", Born="2010-01-01"), pupil("", Born="2012-02-02")
    assert names(school, elder, younger) == ["john.smith", "john.smith2"]
    assert names(school, pupil("", Born="2013-03-03"), younger, elder) == ["john.smith3", "john.smith2", "john.smith"]


def test_people_are_found_again_by_what_the_portal_says_when_the_state_is_lost(tmp_path: Path) -> None:
    school = School(tmp_path, known_by='["forename", "surname", "born"]')
    elder, younger = pupil("", Born="2010-01-01"), pupil("", Born="2012-02-02")
    names(school, elder, younger)
    for file in (tmp_path / ".musterroll").iterdir():
        file.unlink()
    assert names(school, younger, elder) == ["john.smith2", "john.smith"]
    assert len(school.store.users) == 2


def test_a_row_that_does_not_say_who_it_is_has_no_username(school: School) -> None:
    result = school.validate([pupil("")])
    assert [(one.code, one.field) for one in result.problems] == [("number.required", "number")]
    assert [one.code for one in school.plan([pupil("")]).problems] == ["number.required"]


def test_what_the_name_is_made_of_must_be_there(school: School) -> None:
    result = school.validate([pupil("1", forename="", surname="")])
    assert [one.code for one in result.problems] == ["forename.required"]


@pytest.mark.parametrize("surname", ["", "---"], ids=["blank", "nothing is left of it"])
def test_a_name_is_made_of_all_that_the_form_names_or_not_at_all(tmp_path: Path, surname: str) -> None:
    """Nobody is called `john.` or `.` because a part is missing; another form may do without it."""
    letters = '"{forename|ascii|lower}.{surname|ascii|letters|lower}"'
    result = School(tmp_path, forms=f'[{letters}, "{{base}}{{n}}"]').plan([pupil("1", surname=surname)])
    assert [(problem.code, problem.row) for problem in result.problems] == [("username.required", 3)]
    assert "Surname" in result.problems[0].message
    assert "column Username" in result.problems[0].message
    other = School(tmp_path, forms=f'[{letters}, "{{forename|lower}}", "{{forename|lower}}{{n}}"]')
    people = [pupil("1", surname=surname), pupil("2", surname=surname)]
    assert [change.username for change in other.plan(people).changes] == ["john", "john2"]


def test_a_name_that_nobody_may_have_says_what_to_do(tmp_path: Path) -> None:
    for more, forename, code in [
        ('protect = ["john.*"]', "John", "username.protected"),
        ("", "J" * 50, "username.too_long"),
    ]:
        school = School(tmp_path, more=more)
        people = [pupil("1", forename, "S" * 49), pupil("2", forename, "S" * 49)]
        problem = school.plan(people).problems[-1]
        assert problem.code == code
        assert "into the column Username" in problem.message


def test_a_user_of_that_name_who_is_another_one_by_now_is_never_touched(tmp_path: Path) -> None:
    school = School(tmp_path, keeps_all=False)
    names(school, pupil("1"))
    school.lose()
    school.has("john.smith", forename="Jane")
    result = school.run([pupil("1", surname="Brown")])
    assert [(one.code, one.is_error) for one in result.problems] == [("username.taken", True)]
    (jane,) = MemoryBackend(school.store).all_users()
    assert jane.fields == {"forename": "Jane"}
    assert names(school, pupil("1", Username="john.smith")) == ["john.smith"]  # a person has said so
    assert names(school, pupil("1")) == ["john.smith"]


def test_who_was_deleted_in_the_portal_gets_the_same_name_and_a_warning(tmp_path: Path) -> None:
    school = School(tmp_path, keeps_all=False)
    names(school, pupil("1"), pupil("2"))
    school.lose()
    result = school.run([pupil("2"), pupil("1")])
    assert [one.code for one in result.problems] == ["user.lost", "user.lost"]
    assert list(result.actions) == ["john.smith2", "john.smith"]


def test_a_name_stays_with_its_person_although_others_would_be_first(tmp_path: Path) -> None:
    """Nobody gets the name of somebody who is gone."""
    school = School(tmp_path, keeps_all=False)
    names(school, pupil("1"))
    school.lose()
    assert names(school, pupil("2")) == ["john.smith2"]


def test_further_forms_come_before_numbers(tmp_path: Path) -> None:
    school = School(tmp_path, forms='["{forename|lower}", "{forename|lower}.{surname|lower}", "{surname|first}{n}"]')
    result = school.plan([pupil("1"), pupil("2"), pupil("3"), pupil("4"), pupil("5", surname="")])
    assert [change.username for change in result.changes] == ["john", "john.smith", "S2", "S3"]
    # A form whose field is blank makes no name, so of the fifth only "john" is left, which is taken.
    assert [(one.code, one.row) for one in result.problems] == [("username.taken", 7)]


def test_what_nothing_tells_apart_is_a_mistake(tmp_path: Path) -> None:
    text = SCHOOL.format(more="", forms=FORMS, known_by="", match="").replace("match = \n", "", 1)
    with pytest.raises(PipelineError, match="nothing tells two people of the same name apart"):
        PipelineTrial(tmp_path, text)


def test_a_username_is_made_in_one_place(tmp_path: Path) -> None:
    text = SCHOOL.replace("make.username", 'compose.username = "{{email}}"\nmake.username')
    with pytest.raises(PipelineError, match="say it in one place"):
        PipelineTrial(tmp_path, text.format(more="", forms=FORMS, known_by="", match='["number", "username"]'))


@pytest.mark.parametrize(
    ("forms", "said"),
    [
        ('["{forename}"]', "the last form must count"),
        ('["{forename}{n}", "{base}{n}"]', "the first form is the name itself"),
        ('["{forename}", "{base}{n}", "{surname}{n}"]', "never runs out"),
        ('["{forname}", "{base}{n}"]', 'did you mean "forename"'),
        ('["{forename", "{base}{n}"]', "a single"),
        ('["{password}", "{base}{n}"]', "a password cannot be used"),
        ('["{forename}", "{base}{n|first}"]', "counts to 9 only"),
    ],
)
def test_forms_that_cannot_be_are_mistakes(tmp_path: Path, forms: str, said: str) -> None:
    with pytest.raises(PipelineError, match=said) as caught:
        School(tmp_path, forms=forms)
    assert len(caught.value.mistakes) == 1


def test_a_name_that_somebody_takes_meanwhile_is_a_conflict_and_nobody_else_is_touched(school: School) -> None:
    def taken(summary: object) -> bool:
        school.has("john.smith", forename="Jane")
        return True

    with engine.run(school.pipeline, school.write([pupil("1"), pupil("2")]), confirm=taken) as report:
        assert report.job is not None
        (failure,) = report.job.failures()
    assert "run the sheet again to make another username" in (failure.detail or "")
    (jane,) = [user for user in MemoryBackend(school.store).all_users() if user.username == "john.smith"]
    assert jane.fields == {"forename": "Jane"}
    again = school.plan([pupil("2"), pupil("1")])
    assert [(one.code, one.row) for one in again.problems] == [("username.namesake", 4)]
    assert names(school, pupil("1", Username="john.smith3"), pupil("2")) == ["john.smith3", "john.smith2"]


def test_a_saved_plan_keeps_the_names_that_it_shows_or_is_refused(school: School, tmp_path: Path) -> None:
    sheet, saved = school.write([pupil("1"), pupil("2")]), tmp_path / "saved.json"
    with engine.plan(school.pipeline, sheet, save_to=engine.PlanTarget(saved)) as report:
        assert report.changes is not None
        shown = [change.username for change in report.changes()]
    with engine.SavedPlan(saved) as plan, engine.apply(school.pipeline, plan) as report:
        assert report.changes is not None
        assert [change.username for change in report.changes()] == shown == ["john.smith", "john.smith2"]
    sheet = school.write([pupil("3")])
    with engine.plan(school.pipeline, sheet, save_to=engine.PlanTarget(tmp_path / "late.json")):
        pass
    school.has("john.smith3", number="17")
    with engine.SavedPlan(tmp_path / "late.json") as plan, pytest.raises(StalePlanError):
        engine.apply(school.pipeline, plan)


def test_an_exported_sheet_means_the_same_people(school: School, tmp_path: Path) -> None:
    names(school, pupil("1"), pupil("2"))
    done = engine.export(school.pipeline, tmp_path / "all.csv")
    assert (done.users, done.left_out) == (2, 0)
    sheet = (tmp_path / "all.csv").read_text(encoding="utf-8-sig")
    assert "john.smith2" in sheet
    result = school.plan(tmp_path / "all.csv")
    assert {name: action for name, action in result.actions.items() if action != "unchanged"} == {}
    assert not result.problems


def test_both_ways_come_to_the_same(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [pupil(str(number), surname="Smith" if number % 3 else "Brown") for number in range(40)]
    people[7]["Username"], people[9]["Forename"] = "typed", ""
    quick = school.plan(people)
    monkeypatch.setenv("MUSTERROLL_PLAIN", "1")
    plain = school.plan(people)
    assert (quick.changes, quick.problems) == (plain.changes, plain.problems)


def test_who_is_forgotten_is_forgotten_with_the_name(tmp_path: Path) -> None:
    school = School(tmp_path, keeps_all=False)
    names(school, pupil("1"), pupil("2"))
    (journal,) = (tmp_path / ".musterroll").glob("*.journal")

    def kept() -> str:
        with closing(sqlite3.connect(journal)) as db:
            return "\n".join(db.iterdump())

    assert "john.smith2" in kept()
    engine.forget(school.pipeline, "john.smith2")
    assert "john.smith2" not in kept()
    assert "john.smith" in kept()


_PUPILS = st.lists(
    st.tuples(
        st.integers(1, 40), st.sampled_from(["John", "john", "Jöhn", "Jane"]), st.sampled_from(["Smith", "Smit"])
    ),
    unique_by=lambda one: one[0],
    min_size=1,
    max_size=12,
)


@settings(max_examples=12, deadline=None)
@given(lists=st.lists(_PUPILS, min_size=2, max_size=3), keeps_all=st.booleans(), taken=st.booleans())
def test_whatever_the_order_nobody_has_two_names_and_no_two_have_one(
    lists: Sequence[Sequence[tuple[int, str, str]]], keeps_all: bool, taken: bool
) -> None:
    with TemporaryDirectory() as folder:
        school = School(Path(folder), keeps_all=keeps_all, more='severity."username.namesake" = "warning"')
        if taken:
            school.has("john.smith2")
        had: dict[int, str] = {}
        for sheet in lists:
            made = names(school, *(pupil(str(number), forename, surname) for number, forename, surname in sheet))
            now = dict(zip((number for number, _, _ in sheet), made, strict=True))
            assert len(set(now.values())) == len(now)
            assert all(had.get(number, name) == name for number, name in now.items())
            had |= now
            assert len(set(had.values())) == len(had)
        assert len(school.store.users) == len(had) + taken


# -- as far as the sheet alone tells ------------------------------------------------------------------------------


def proposed(school: School, *pupils: Mapping[str, str]) -> list[tuple[str | None, str | None]]:
    """The names that `validate` shows, and the reasons why there are none."""
    with engine.validate(school.pipeline, school.write(pupils)) as report:
        assert report.usernames is not None
        return [(one.username, one.reason) for one in report.usernames]


@settings(max_examples=15, deadline=None)
@given(sheet=_PUPILS, keeps_all=st.booleans())
def test_validate_shows_the_names_that_a_portal_without_these_people_gives(
    sheet: Sequence[tuple[int, str, str]], keeps_all: bool
) -> None:
    with TemporaryDirectory() as folder:
        school = School(Path(folder), keeps_all=keeps_all)
        school.has("ana.silva")
        pupils = [pupil(str(number), forename, surname) for number, forename, surname in sheet]
        assert [name for name, _ in proposed(school, *pupils)] == names(school, *pupils)


def test_validate_shows_no_name_that_was_typed_and_none_of_a_row_that_is_wrong(tmp_path: Path) -> None:
    school = School(tmp_path)
    rows = [pupil("1", Username="js"), pupil("2"), pupil("3", "", "Smith"), pupil(""), pupil("2"), pupil("4")]
    assert proposed(school, *rows) == [("john.smith", None), ("john.smith2", None)]


def test_validate_knows_that_two_rows_are_one_person(tmp_path: Path) -> None:
    """Where several fields together say who somebody is, and nothing else does."""
    school = School(tmp_path, known_by='["forename", "surname", "born"]', match='["username"]')
    rows = [pupil("1", Born="2001"), pupil("2", Born="2002"), pupil("3", Born="2001")]
    assert [(one.code, one.row) for one in school.validate(rows).problems] == [("username.duplicate", 5)]
    assert [(one.code, one.row) for one in school.plan(rows).problems] == [("username.duplicate", 5)]


def test_validate_says_where_there_is_no_name_unless_the_portal_knows_the_person(tmp_path: Path) -> None:
    school = School(tmp_path, forms='["{forename|letters|lower}.{surname|lower}", "{base}{n}"]')
    rows = [pupil("1"), pupil("2", "-")]
    first, second = proposed(school, *rows)
    assert first == ("john.smith", None)
    assert (second[0], str(second[1]).partition(",")[0]) == (None, "No username can be made for this row")
    assert not school.validate(rows).problems
    assert [one.code for one in school.plan(rows).problems] == ["username.required"]
    school.has("four", number="2")
    assert names(school, *rows) == ["john.smith", "four"]


def test_the_portal_is_asked_for_each_key_of_a_batch_once(tmp_path: Path) -> None:
    asked: list[UserKey] = []
    school = School(tmp_path, asked=asked)
    names(school, pupil("1"), pupil("2"))
    asked.clear()
    names(school, pupil("1"), pupil("2"), pupil("3"), pupil("4", "Jane"))
    assert len(asked) == len(set(asked))
    assert {key.raw for key in asked if key.field == "number"} == {"1", "2", "3", "4"}
