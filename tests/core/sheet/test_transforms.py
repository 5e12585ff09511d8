"""Values made as they should be: the order of things, what a transform sees, and what it may not say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from musterroll import Origin, Value
from musterroll.errors import PipelineError, PluginError
from support.pipelines import PASSWORD, Told, Work, user
from support.said_values import SAID, SEEN

Says = Callable[..., Told]


@pytest.fixture
def says(work: Work) -> Says:
    """Plans a sheet with transforms that say what a test wants."""
    SAID.clear()
    SEEN.clear()
    (work.folder / "says.py").write_text("from support.said_values import musterroll_transforms\n", encoding="utf-8")

    def plan(*rows: Mapping[str, str], top: str = "", tables: str = "", when: str = "{}", **said: Any) -> Told:
        SAID.update({f"transforms[{name}]": one for name, one in said.items()})
        names = [f'[[transforms]]\nname = "{name}"\nuse = "says"\nwhen = {when}' for name in said]
        return work.plan(work.pipeline(top, "\n".join([*names, tables]), plugins=["says.py"]), work.sheet(*rows))

    return plan


def test_one_after_the_other_and_before_defaults_and_composed_fields(says: Says) -> None:
    found = says(
        user("ana", surname="silva"),
        user("bo", surname="none"),
        top='[sheet.defaults]\nsurname = "Doe"\n[sheet.compose]\nemail = "{surname}@acme.example"',
        one=lambda row: {"surname": row["surname"].title()},
        two=lambda row: {"surname": "" if row["surname"] == "None" else row["surname"] + "-X"},
    )
    assert found.codes == []
    assert [(found.change(row).fields["surname"].after, found.change(row).fields["email"].after) for row in (3, 4)] == [
        ("Silva-X", "Silva-X@acme.example"),
        ("Doe", "Doe@acme.example"),
    ]


def test_cell_and_what_was_typed_stay_with_a_value(says: Says) -> None:
    found = says(user("ana", email=" X ", phone="12"), one={"email": "not an address", "phone": ""})
    (problem,) = (one for one in found.problems if one.code == "email.invalid")
    assert (problem.cell, problem.value) == ("A3", " X ")


def test_a_transform_sees_no_password_and_no_guidance(says: Says) -> None:
    says(user("ana"), one={})
    assert [row.number for row in SEEN] == [3]
    value = SEEN[0].value("password")
    assert (value.secret, value.text, value.is_filled) == (None, "", True)


def test_a_default_is_for_new_users(says: Says, work: Work) -> None:
    work.portal.add("bo", forename="Bo", surname="Bell")
    work.portal.add("cy", forename="Cy")
    found = says(user("ana"), user("bo"), user("cy"), one={"surname": Value("Silva", Origin.DEFAULT)})
    assert found.change(3).fields["surname"] == (None, "Silva")
    assert [found.change(row).action for row in (4, 5)] == ["unchanged", "unchanged"]


def test_a_value_that_cannot_be_made_is_one_fault(says: Says) -> None:
    found = says(
        user("ana"),
        top='sheet.omit = ["username"]\n[sheet.compose]\nusername = "{surname}"',
        one=lambda row: {"surname": row.problem("surname", "acme.name", "{heading} is no name")},
    )
    assert [code for code in found.codes if not code.startswith("column.")] == ["acme.name@3"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (None, "apply() must return what is to change by field"),
        ({"surnam": "x"}, 'did you mean "surname"'),
        ({"password": "x"}, "a password stays as it was typed"),
        ({"surname": 3}, 'must give a text for "surname"'),
        ({"surname": "\ud800"}, "half a character"),
        ({"surname": Value("x", Origin.BLANK)}, "must give a text"),
        (lambda row: {"email": row.problem("surname", "a.b", "x")}, "is not of that field"),
        (lambda row: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_what_it_must_not_say(says: Says, said: Any, words: str) -> None:
    with pytest.raises(PluginError) as raised:
        says(user("ana"), one=said)
    assert words in raised.value.message
    assert "transforms[one]" in raised.value.message
    assert "row 3" in raised.value.message
    assert PASSWORD not in raised.value.message


def test_rows_that_it_is_about(says: Says) -> None:
    found = says(user("ana"), user("bo"), when='{ username = "ana" }', one={"surname": "X"})
    assert [found.change(row).fields.get("surname") for row in (3, 4)] == [(None, "X"), None]


def test_rows_that_other_plugins_are_about(says: Says) -> None:
    tables = """
        [[validators]]
        name = "bo-only"
        use = "pattern"
        when = { username = "bo" }
        options = { field = "surname", pattern = "[A-Z]+" }
        [[groups]]
        name = "groups-column"
        when = { username = { not = "ana" } }
    """
    rows = (
        user("ana", surname="silva", groups="North"),
        user("bo", surname="berg", groups="North"),
        user("cy", surname="BERG", groups="North"),
    )
    found = says(*rows, top='on_error = "skip"', tables=tables)
    assert found.codes == ["surname.pattern@4"]
    assert [len(found.change(row).add) for row in (3, 5)] == [0, 1]


@pytest.mark.parametrize(
    ("when", "words"),
    [('{ surnam = "x" }', 'did you mean "surname"'), ("{ surname = 3 }", "values of a sheet are texts")],
)
def test_rows_that_cannot_be_told(says: Says, when: str, words: str) -> None:
    with pytest.raises(PipelineError, match=words):
        says(user("ana"), when=when, one={})


def test_a_notifier_knows_no_groups(says: Says) -> None:
    with pytest.raises(PipelineError, match="a notifier knows the fields of a user, and not the groups"):
        says(user("ana"), tables='[[notifiers]]\nname = "x"\nuse = "console"\nwhen = { groups = "North" }')
