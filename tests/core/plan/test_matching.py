"""Who is who, and what a row does to the user that it means."""

from __future__ import annotations

from typing import Any

import pytest

from musterroll import Batch, Desired, Objection, Secret
from musterroll.contract.operations import CreateUser
from musterroll.errors import PluginError
from musterroll.journal.change import Action, FieldChange, PasswordAction
from musterroll.journal.job import JobState
from musterroll.portal.portal import Portal
from musterroll.registry.watch import Watch
from musterroll.reports.report import Outcome
from musterroll.testing import MemoryBackend
from support.pipelines import Work, addressed, user

STAFF = """
    match = ["staff_number", "username"]
"""
STAFF_FIELD = """
    [[sheet.fields]]
    name = "staff_number"
    heading = "staff_number"
"""
NO_UNIQUE = """
    [[validators]]
    name = "unique"
    enabled = false
"""


def test_create_update_unchanged(work: Work) -> None:
    work.portal.add("ana", forename="Ana", surname="Silva")
    work.portal.add("bo", forename="Bo")
    sheet = work.sheet(user("ana", surname="Souza"), user("bo"), user("cy"))
    done = work.run(work.pipeline(), sheet)
    assert (done.outcome, done.state) == (Outcome.OK, JobState.COMPLETED)
    assert done.rows == {"updated": 1, "unchanged": 1, "created": 1}
    assert [change.action for change in done.changes] == [Action.UPDATE, Action.UNCHANGED, Action.CREATE]
    assert done.change(3).fields == {"surname": FieldChange("Silva", "Souza")}
    assert work.portal.user("ana").fields["surname"] == "Souza"


def test_blank_cells_keep(work: Work) -> None:
    work.portal.add("ana", forename="Ana", surname="Silva")
    done = work.run(work.pipeline(), work.sheet(user("ana")))
    assert done.rows == {"unchanged": 1}
    assert work.portal.user("ana").fields["surname"] == "Silva"


def test_blank_cells_clear(work: Work) -> None:
    work.portal.add("ana", forename="Ana", surname="Silva", department="Ops", phone="7712345678", calling_code="44")
    tables = """
        [sheet]
        on_blank_cell = "clear"
        omit = ["phone", "calling_code"]
        [sheet.defaults]
        calling_code = "44"
        [[sheet.fields]]
        name = "department"
        heading = "department"
    """
    sheet = work.sheet(user("ana"), others=["department"], without=["phone", "calling_code"])
    done = work.run(work.pipeline(tables=tables), sheet)
    # Columns that the sheet does not have say nothing, whatever their default.
    assert work.portal.user("ana").fields == {"forename": "Ana", "phone": "7712345678", "calling_code": "44"}
    assert set(done.change(3).fields) == {"surname", "department"}


def test_a_column_that_the_sheet_omits_is_never_cleared(work: Work) -> None:
    work.portal.add("ana", forename="Ana", surname="Silva")
    tables = """
        [sheet]
        on_blank_cell = "clear"
        omit = ["surname"]
        [sheet.defaults]
        surname = "Doe"
    """
    done = work.run(work.pipeline(tables=tables), work.sheet(user("ana"), user("bo"), without=["surname"]))
    assert done.rows == {"unchanged": 1, "created": 1}
    assert [work.portal.user(name).fields["surname"] for name in ("ana", "bo")] == ["Silva", "Doe"]


@pytest.mark.parametrize("choice", ["keep", "clear"])
def test_a_whole_number_is_two_fields_of_the_portal(work: Work, choice: str) -> None:
    stored = {"calling_code": "44", "phone": "7712345678"}
    for name in ("even", "moved", "blank"):
        work.portal.add(name, forename=name.title(), calling_code="44", phone="7712345678")
    phones = {"even": "+44 7712 345678", "moved": "0049 30 1234567", "blank": "", "new": "+1 (425) 555-0100"}
    tables = f"""
        [sheet]
        on_blank_cell = "{choice}"
        omit = ["calling_code"]
    """
    pipeline = work.pipeline(tables=tables)
    sheet = work.sheet(*(user(name, phone=phone) for name, phone in phones.items()), without=["calling_code"])
    done = work.run(pipeline, sheet)
    assert done.codes == []
    assert done.change(3).fields == {}
    assert {name: change.after for name, change in done.change(4).fields.items()} == {
        "calling_code": "49",
        "phone": "301234567",
    }
    kept = {} if choice == "clear" else stored
    assert work.portal.user("blank").fields == {"forename": "Blank", **kept}
    assert work.portal.user("new").fields == {"forename": "New", "calling_code": "1", "phone": "4255550100"}
    assert work.run(pipeline, sheet).rows == {"unchanged": 4}


def test_defaults_are_for_new_users_only(work: Work) -> None:
    work.portal.add("ana", forename="Ana")
    tables = """
        [sheet.defaults]
        surname = "Doe"
        calling_code = "44"
    """
    rows = [user("ana"), user("bo"), user("cy", phone="7712345678")]
    done = work.run(work.pipeline(tables=tables), work.sheet(*rows))
    assert done.rows == {"unchanged": 1, "created": 2}
    assert work.portal.user("bo").fields == {"forename": "Bo", "surname": "Doe"}
    assert work.portal.user("cy").fields["calling_code"] == "44"


def test_default_groups_are_for_new_users_only(work: Work) -> None:
    work.portal.add("ana", forename="Ana")
    pipeline = work.pipeline(tables='[sheet.defaults]\ngroups = "Everybody;Staff"')
    work.run(pipeline, work.sheet(user("ana"), user("bo"), user("cy", groups="Other")))
    assert work.portal.groups_of("ana") == set()
    assert work.portal.groups_of("bo") == {"Everybody", "Staff"}
    assert work.portal.groups_of("cy") == {"Other"}


@pytest.mark.parametrize("typed", ["ANA", "Ana", "  ana ", "ａｎａ", "a\u00adna"])
def test_usernames_compare_folded_and_keep_their_spelling(work: Work, typed: str) -> None:
    work.portal.add("Ana", forename="Ana")
    done = work.run(work.pipeline(), work.sheet(user(typed, forename="Ana")))
    assert done.rows == {"unchanged": 1}
    assert done.change(3).username == "Ana"
    assert work.portal.names() == ["Ana"]


def test_a_renamed_user_is_recognised(work: Work) -> None:
    ana = work.portal.add("ana", forename="Ana", staff_number="7")
    row = user("ana.silva", forename="Ana", staff_number="7")
    sheet = work.sheet(row, user("bo", staff_number="8"), others=["staff_number"])
    pipeline = work.pipeline(STAFF, STAFF_FIELD)
    done = work.run(pipeline, sheet)
    assert done.rows == {"updated": 1, "created": 1}
    assert done.change(3).fields == {"username": FieldChange("ana", "ana.silva")}
    assert work.portal.user("ana.silva").ref == ana.ref
    assert work.run(pipeline, sheet).rows == {"unchanged": 2}


def test_without_the_first_field_the_next_recognises(work: Work) -> None:
    work.portal.add("ana", forename="Ana")
    sheet = work.sheet(user("ana", staff_number="7"), others=["staff_number"])
    done = work.run(work.pipeline(STAFF, STAFF_FIELD), sheet)
    assert done.change(3).fields == {"staff_number": FieldChange(None, "7")}


def test_several_users_fit(work: Work) -> None:
    work.portal.add("ana", staff_number="7")
    work.portal.add("bo", staff_number="7")
    work.portal.add("cy", staff_number="8")
    sheet = work.sheet(
        user("ana", staff_number="7"),
        user("bo", staff_number="8"),
        user("dee", staff_number="9"),
        others=["staff_number"],
    )
    done = work.run(work.pipeline(STAFF, STAFF_FIELD), sheet)
    assert done.codes == ["username.ambiguous@3", "username.ambiguous@4"]
    assert done.outcome is Outcome.PROBLEMS
    assert (done.state, done.rows) == (JobState.ABORTED, {"rejected": 2, "not_attempted": 1})
    assert work.portal.handed == []


@pytest.mark.parametrize(
    ("choice", "active", "outcome"), [("reactivate", True, "updated"), ("update", False, "updated")]
)
def test_inactive_users(work: Work, choice: str, active: bool, outcome: str) -> None:
    work.portal.add("ana", forename="Ana", surname="Silva", active=False)
    sheet = work.sheet(addressed("ana", surname="Souza"))
    done = work.run(work.pipeline(f'on_inactive = "{choice}"'), sheet)
    assert done.rows == {outcome: 1}
    assert work.portal.user("ana").active is active
    assert work.portal.user("ana").fields["surname"] == "Souza"
    assert done.reasons == {3: "not new" if active else "inactive"}
    assert ("active" in done.change(3).fields) is active
    assert work.run(work.pipeline(f'on_inactive = "{choice}"'), sheet).rows == {"unchanged": 1}


def test_inactive_users_are_an_error(work: Work) -> None:
    work.portal.add("ana", active=False)
    done = work.run(work.pipeline(), work.sheet(user("ana")))
    assert done.codes == ["username.inactive@3"]
    assert work.portal.store.writes == 0


def test_a_portal_that_ignores_filters_never_gets_the_wrong_user_changed(work: Work) -> None:
    for name in ("ana", "bo", "cy"):
        work.portal.add(name, forename=name.title(), email=f"{name}@example.com", staff_number=name)
    work.portal.ignores_filters = True
    work.portal.unique_email = True
    sheet = work.sheet(
        addressed("ana", surname="New", staff_number="ana"),
        addressed("dee", staff_number="dee"),
        others=["staff_number"],
    )
    done = work.run(work.pipeline(STAFF, STAFF_FIELD), sheet)
    assert done.rows == {"updated": 1, "created": 1}
    assert {name: work.portal.user(name).fields.get("surname") for name in work.portal.names()} == {
        "ana": "New",
        "bo": None,
        "cy": None,
        "dee": None,
    }


def test_the_planner_itself_insists_on_unique_usernames(work: Work) -> None:
    work.portal.add("ana", staff_number="1")
    rows = [
        user("zoe", staff_number="1"),  # renames ana
        user("ZOE", staff_number="2"),  # creates
        user("bo", staff_number="3"),
        user("bo", staff_number="4"),
        user("cy", staff_number="5"),
    ]
    pipeline = work.pipeline('on_error = "skip"\n' + STAFF, STAFF_FIELD + NO_UNIQUE)
    done = work.run(pipeline, work.sheet(*rows, others=["staff_number"]))
    assert done.codes == ["username.duplicate@4", "username.duplicate@6"]
    assert done.rows == {"rejected": 4, "created": 1}
    assert work.portal.names() == ["ana", "cy"]


def test_two_rows_that_mean_one_user(work: Work) -> None:
    work.portal.add("ana", forename="Ana", staff_number="1")
    rows = [user("ana.silva", staff_number="1"), user("ana")]
    pipeline = work.pipeline(STAFF, STAFF_FIELD)
    done = work.run(pipeline, work.sheet(*rows, others=["staff_number"]))
    assert done.codes == ["username.duplicate@4"]
    assert work.portal.names() == ["ana"]


def test_the_planner_itself_insists_on_usernames(work: Work) -> None:
    tables = """
        [[validators]]
        name = "required"
        enabled = false
    """
    done = work.run(work.pipeline(tables=tables), work.sheet(user("ana"), user("")))
    assert done.codes == ["username.required@4"]


def test_duplicates_reject_the_first_row_too(work: Work) -> None:
    rows = [user("ana"), user("bo"), user("ANA"), user("ana", surname="S")]
    done = work.run(work.pipeline('on_error = "skip"'), work.sheet(*rows))
    assert done.outcome is Outcome.PROBLEMS
    assert done.rows == {"rejected": 3, "created": 1}
    assert done.counts.invalid == 3
    assert [change.row for change in done.changes] == [4]
    assert work.portal.names() == ["bo"]


def test_addresses_that_are_taken(work: Work) -> None:
    work.portal.unique_email = True
    work.portal.add("ana", forename="Ana", email="ana@example.com")
    work.portal.add("bo", forename="Bo", email="bo@example.com")
    rows = [
        user("ana", email="ana@example.com"),  # her own
        user("bo", email="ana@example.com"),
        user("cy", email="Ana@Example.com"),
        user("dee", email="dee@example.com"),
        user("eve", email="dee@example.com"),
    ]
    done = work.run(work.pipeline('on_error = "skip"'), work.sheet(*rows))
    taken = [code for code in done.codes if code.startswith("email.taken")]
    assert taken == ["email.taken@4", "email.taken@5", "email.taken@7"]
    assert done.rows == {"unchanged": 1, "rejected": 3, "created": 1}


def test_one_run_shows_the_sheets_and_the_portals_problems(work: Work) -> None:
    work.portal.add("ana", active=False)
    tables = """
        [membership]
        missing = "error"
    """
    rows = [user("ana", email="non"), user("bo", email="sen", groups="Nowhere"), user("", forename="Cy", email="se")]
    done = work.run(work.pipeline(tables=tables), work.sheet(*rows))
    assert done.codes == [
        "email.invalid@3",
        "username.inactive@3",
        "email.invalid@4",
        "groups.unknown@4",
        "email.invalid@5",
        "username.required@5",
    ]


def test_unchanged_is_reached_where_the_portal_rewrites(work: Work) -> None:
    def lower(desired):  # type: ignore[no-untyped-def]
        from musterroll import Desired

        fields = {name: text.lower() if name == "email" and text else text for name, text in desired.fields.items()}
        return Desired(username=desired.username, fields=fields)

    work.portal.canonical = lower
    sheet = work.sheet(user("ana", email="Ana@Example.com"))
    pipeline = work.pipeline()
    assert work.run(pipeline, sheet).rows == {"created": 1}
    assert work.portal.user("ana").fields["email"] == "ana@example.com"
    assert work.run(pipeline, sheet).rows == {"unchanged": 1}


class TestPasswords:
    def test_set_and_kept(self, work: Work) -> None:
        work.portal.add("ana", forename="Ana")
        done = work.run(work.pipeline(), work.sheet(user("ana"), user("bo", password="Sesame-Street-1")))
        assert [change.password for change in done.changes] == [PasswordAction.KEEP, PasswordAction.SET]
        assert work.portal.user("ana").password is None
        stored = work.portal.user("bo").password
        assert stored is not None
        assert stored.reveal() == "Sesame-Street-1"

    def test_reset_once_for_each_sheet(self, work: Work) -> None:
        work.portal.add("ana", forename="Ana")
        tables = """
            [password]
            on_existing = "reset"
        """
        pipeline = work.pipeline(tables=tables)
        first = work.sheet(user("ana", password="Sesame-Street-1"), user("bo", password="Sesame-Street-2"))
        done = work.run(pipeline, first)
        assert [change.password for change in done.changes] == [PasswordAction.RESET, PasswordAction.SET]
        assert done.rows == {"updated": 1, "created": 1}
        again = work.run(pipeline, first)
        # Bo was created with the password of this very sheet.
        assert [change.password for change in again.changes] == [PasswordAction.KEEP, PasswordAction.KEEP]
        assert again.rows == {"unchanged": 2}
        other = work.sheet(user("ana", password="Sesame-Street-3"), name="other.csv")
        assert work.run(pipeline, other).rows == {"updated": 1}
        stored = work.portal.user("ana").password
        assert stored is not None
        assert stored.reveal() == "Sesame-Street-3"

    @pytest.mark.parametrize(
        ("required", "codes"),
        [
            ("always", ["password.required@3", "password.required@4"]),
            ("new", ["password.required@4"]),
            ("never", []),
        ],
    )
    def test_required(self, work: Work, required: str, codes: list[str]) -> None:
        work.portal.add("ana", forename="Ana")
        tables = f"""
            [password]
            required = "{required}"
        """
        done = work.run(work.pipeline(tables=tables), work.sheet(user("ana", password=""), user("bo", password="")))
        assert done.codes == codes
        if not codes:
            assert [change.password for change in done.changes] == [PasswordAction.KEEP, PasswordAction.NONE]
            (op,) = work.portal.handed
            assert isinstance(op, CreateUser)
            assert op.password is None


def test_what_the_portal_cannot_do(work: Work) -> None:
    work.portal.add("ana", forename="Ana", staff_number="1")
    work.portal.add("bo", forename="Bo", active=False)
    work.portal.can = {
        "rename": False,
        "deactivate": False,
        "passwords": False,
        "nested_groups": False,
        "fields": frozenset({"email", "forename", "staff_number"}),
    }
    rows = [
        user("ana.silva", forename="Ana", staff_number="1", groups="Region|North"),
        user("bo"),
        user("cy", surname="C", password="Sesame-Street-1"),
    ]
    pipeline = work.pipeline('on_inactive = "reactivate"\n' + STAFF, STAFF_FIELD)
    done = work.run(pipeline, work.sheet(*rows, others=["staff_number"]))
    fields = [(problem.row, problem.field) for problem in done.problems if problem.code == "backend.unsupported"]
    assert sorted(fields, key=str) == [(3, "groups"), (3, "username"), (4, "username"), (5, "password"), (5, "surname")]


def test_a_portal_that_keeps_passwords_as_they_are(work: Work) -> None:
    work.portal.add("ana", forename="Ana")
    work.portal.can = {"reset_passwords": False}
    sheet = work.sheet(user("ana"), user("bo"))
    reset = work.run(work.pipeline(tables='[password]\non_existing = "reset"'), sheet)
    assert [(problem.code, problem.cell) for problem in reset.problems] == [("backend.unsupported", "E3")]
    assert work.portal.handed == []
    assert work.run(work.pipeline(), sheet).rows == {"created": 1, "unchanged": 1}


def test_whom_the_portal_will_not_take_is_said_at_the_cell(work: Work) -> None:
    """It is asked about new users, and about what is to change of others; with the password that is to be set."""
    asked: list[tuple[str, dict[str, str | None], str | None, bool]] = []

    def check(user: Desired, ref: str | None, password: Secret | None) -> list[Objection]:
        asked.append((user.username, dict(user.fields), ref, password is not None))
        return [Objection("surname", "the surname is {odd}"), Objection("shoe size", "it has none", "acme.shoe")]

    ana = work.portal.add("ana", forename="Ana", surname="Silva").ref
    work.portal.add("bo", forename="Bo", surname="Berg")
    work.portal.check = check
    rows = [user("ana", forename="Ana", surname="Souza"), user("bo", forename="Bo", surname="Berg"), user("cy")]
    done = work.run(work.pipeline(), work.sheet(*rows))
    assert [(problem.code, problem.cell) for problem in done.problems] == [
        ("acme.shoe", "B3"),
        ("backend.unsupported", "D3"),
        ("acme.shoe", "B5"),
        ("backend.unsupported", "D5"),
    ]
    assert done.problems[1].message == "the surname is {odd}"
    assert asked[0] == ("ana", {"surname": "Souza"}, ana, False)
    assert [(name, ref, given) for name, _, ref, given in asked[1:]] == [("cy", None, True)]
    assert work.portal.handed == []


def test_new_users_whom_the_portal_does_not_suspect_are_not_asked_about(work: Work) -> None:
    """Those who are to have a password are, since a proof sees none; and so are users who are there."""
    asked: list[str] = []

    def check(user: Desired, ref: str | None, password: Secret | None) -> list[Objection]:
        asked.append(user.username)
        return [Objection("surname", "nobody is called so")] if user.fields.get("surname") == "Odd" else []

    def suspects(batch: Batch) -> list[int]:
        assert not any(batch.secrets("password"))
        return [place for place, surname in enumerate(batch.texts("surname")) if surname == "Odd"]

    work.portal.add("ana", surname="Silva")
    work.portal.check, work.portal.suspects = check, suspects
    rows = [user("ana", surname="Souza"), user("abe"), user("bo"), user("cy", surname="Odd")]
    rows += [user("di", password=""), user("ed", password="", surname="Odd"), user("flo", password="")]
    done = work.run(work.pipeline('on_error = "skip"', tables='[password]\nrequired = "never"'), work.sheet(*rows))
    assert asked == ["ana", "abe", "bo", "cy", "ed"]
    assert [problem.cell for problem in done.problems] == ["D6", "D8"]
    assert done.rows == {"created": 4, "updated": 1, "rejected": 2}


def test_a_proof_that_was_written_for_another_check_proves_nothing(work: Work) -> None:
    class Lax(MemoryBackend):
        def check(self, user: Desired, ref: str | None, password: Secret | None) -> list[Objection]:
            return []

        def suspects(self, batch: Batch) -> list[int]:
            return []

    class Strict(Lax):
        def check(self, user: Desired, ref: str | None, password: Secret | None) -> list[Objection]:
            return [Objection("surname", "never")]

    class Otherwise(Lax):
        def canonical(self, desired: Desired) -> Desired:
            return desired

    proves = [Portal(kind(), "portal", Watch()).proves_users for kind in (Lax, Strict, Otherwise, MemoryBackend)]
    assert proves == [True, False, False, False]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("all", r"suspects\(\) must yield places of rows or return a list of them, not a str"),
        ([7], r"suspects\(\) must yield places of rows in the batch, from 0 to 1, not 7"),
    ],
)
def test_a_proof_that_names_no_places_is_said_to_be_broken(work: Work, answer: Any, message: str) -> None:
    work.portal.check, work.portal.suspects = (lambda user, ref, password: []), (lambda batch: answer)
    with pytest.raises(PluginError, match=message):
        work.run(work.pipeline(), work.sheet(user("ana"), user("bo")))
    assert work.portal.handed == []


def test_what_a_portal_cannot_keep_is_said_of_every_new_user(work: Work) -> None:
    """Those too whose groups have been planned before."""
    kept = frozenset({"forename"})
    work.portal.can = {"changes_values": False, "fields": kept, "nested_groups": False, "passwords": False}
    work.portal.add_group("Sales")
    rows = [
        user("ana", password="", groups="Sales"),
        user("bo", password="", groups="Sales"),
        user("cy", password="", groups="Sales", surname="Silva"),
        user("di", groups="Sales"),
        user("ed", password="", groups="Sales|North"),
        user("flo", password="", groups="Sales|North"),
    ]
    tables = '[password]\nrequired = "never"'
    done = work.run(work.pipeline('on_error = "skip"', tables=tables), work.sheet(*rows))
    assert {problem.code for problem in done.problems} == {"backend.unsupported"}
    assert [problem.row for problem in done.problems] == [5, 6, 7, 8]
