"""Values made on the way in, from the pipeline file to the portal and the story of a row."""

from __future__ import annotations

import pytest

from support.workplace import Inside

TABLES = """
sheet.omit = ["forename", "surname", "username"]
sheet.compose = { username = "{forename|ascii|lower}.{surname|ascii|lower}" }
[[sheet.fields]]
name = "full"
heading = "Name"
[[transforms]]
name = "name"
use = "split"
options = { field = "full", pattern = '(?P<surname>[^,]+), *(?P<forename>.+)' }
[[transforms]]
name = "capitals"
use = "case"
options = { fields = ["forename", "surname"], to = "title" }
[[notifiers]]
name = "outbox"
when = { surname = { not = "Berg" } }
"""
SHEET = """Email,Password,Calling Code,Phone,Groups,Name
guidance,,,,,
ana@example.com,Sesame-open-7,,,,"SILVA, ANA"
bo@example.com,Meadow-Kite-41,,,,"Berg, Björn"
"""


@pytest.fixture
def place(inside: Inside) -> Inside:
    inside.pipeline(TABLES)
    inside.write("staff.csv", SHEET)
    return inside


def test_from_the_sheet_to_the_portal_and_the_story(place: Inside) -> None:
    done = place.json("run", "staff.csv")
    assert (done.status, done.codes) == (0, [])
    assert {name: user["surname"] for name, user in place.users().items()} == {
        "ana.silva": "Silva",
        "bjoern.berg": "Berg",
    }
    assert len(place.invites()) == 1
    again = place.json("run", "staff.csv").document["job"]["counts"]
    assert again["unchanged"] == 2
    story = place.json("jobs", "show", "last", "--row", 3).document["row"]
    assert [(one["name"], one["field"], one["before"], one["after"]) for one in story["transforms"]] == [
        ("transforms[name]", "surname", None, "SILVA"),
        ("transforms[name]", "forename", None, "ANA"),
        ("transforms[capitals]", "forename", "ANA", "Ana"),
        ("transforms[capitals]", "surname", "SILVA", "Silva"),
    ]
    shown = place.run("jobs", "show", "last", "--row", 3).out
    assert "Transforms" in shown
    assert "SILVA → Silva" in shown


def test_what_cannot_be_taken_apart_is_one_problem_at_its_cell(place: Inside) -> None:
    place.write("staff.csv", SHEET.replace('"SILVA, ANA"', "Ana Silva"))
    assert place.json("validate", "staff.csv").codes == [("full.pattern", "F3")]


def test_what_is_made_is_checked_and_its_problems_are_shown_where_it_is_made_of(place: Inside) -> None:
    place.write("staff.csv", SHEET.replace("SILVA, ANA", f"{'x' * 60}, Ana"))
    assert place.json("validate", "staff.csv").codes == [("surname.too_long", "F3")]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ('field = "full", pattern = "(?P<surnam>.+)"', 'there is no field "surnam", did you mean "surname"'),
        ('field = "full", pattern = "(?P<password>.+)"', "a password stays as it was typed"),
        ('field = "password", pattern = "(?P<surname>.+)"', "a password stays as it was typed"),
    ],
)
def test_mistakes_are_said_before_anything_runs(place: Inside, options: str, words: str) -> None:
    field = '[[sheet.fields]]\nname = "full"\nheading = "Name"'
    place.pipeline(f'{field}\n[[transforms]]\nname = "x"\nuse = "split"\noptions = {{ {options} }}')
    checked = place.run("pipeline", "check")
    assert checked.status == 2
    assert words in checked.err


@pytest.mark.parametrize(
    ("use", "options", "said"),
    [
        ("case", 'fields = ["fornam"], to = "title"', ["fields[0]"]),
        ("date", 'fields = ["surnam"], forms = ["DD.MM.YYY"]', ["fields[0]", "forms[0]"]),
        ("date", 'fields = ["surname", "forenam"], forms = []', ["fields[1]", "forms"]),
    ],
)
def test_a_wrong_element_of_a_list_is_one_mistake(place: Inside, use: str, options: str, said: list[str]) -> None:
    place.pipeline(f'[[transforms]]\nname = "x"\nuse = "{use}"\noptions = {{ {options} }}')
    mistakes = place.json("pipeline", "check").document["mistakes"]
    assert [one["path"] for one in mistakes] == [f"transforms[x].options.{name}" for name in said]


@pytest.mark.parametrize(
    ("use", "options", "path", "said"),
    [
        ("split", "field = 'surname', pattern = 'Ä(b'", "pattern", "unclosed group, at character 2"),
        ("split", "field = 'surname', pattern = '(?P<surname>a{1001})'", "pattern", "invalid repetition size"),
        ("split", "field = 'surname', pattern = '(?P<surname>(x{1000}){9000})'", "pattern", "it repeats too much"),
        ("split", "field = 'surname', pattern = '(a)'", "pattern", "name its groups after the fields"),
        ("split", "field = 'surname', pattern = '(?P<surnam>a)'", "pattern", 'there is no field "surnam"'),
        ("replace", "fields = ['surname'], pattern = 'a', by = '\\2'", "by", "is not in the pattern"),
        ("map", "field = 'surname', values = { A = 'b', a = 'c' }", "values", "stands for something else"),
        ("map", "field = 'surname', file = 'none.csv'", "file", "does not exist"),
    ],
)
def test_a_mistake_names_its_option_and_line(place: Inside, use: str, options: str, path: str, said: str) -> None:
    place.pipeline(f'[[transforms]]\nname = "x"\nuse = "{use}"\noptions = {{ {options} }}')
    (mistake,) = place.json("pipeline", "check").document["mistakes"]
    assert (mistake["path"], mistake["line"]) == (f"transforms[x].options.{path}", 7)
    assert said in mistake["message"]
    stopped = place.json("validate", "staff.csv")
    assert (stopped.status, stopped.document["error"]["code"]) == (2, "pipeline.invalid")
    assert f"musterroll.toml: transforms[x].options.{path}: " in stopped.document["error"]["message"]


def test_an_option_that_there_is_not_is_told_apart_from_a_pattern_that_is_none(place: Inside) -> None:
    options = "field = 'surname', pattern = '(a', message = 'Write it as Silva, Ana'"
    place.pipeline(f'[[transforms]]\nname = "x"\nuse = "split"\noptions = {{ {options} }}')
    found = {one["path"]: one["message"] for one in place.json("pipeline", "check").document["mistakes"]}
    assert found.keys() == {"transforms[x].options.pattern", "transforms[x].options.message"}
    assert found["transforms[x].options.message"] == "unknown option"


def test_plugins_check_knows_transforms(place: Inside) -> None:
    checked = place.json("plugins", "check", "split")
    assert checked.status == 0, checked.out
    assert {one["status"] for one in checked.document["checks"]} == {"ok"}


def test_what_only_some_rows_need(place: Inside) -> None:
    place.pipeline(
        """
        [[sheet.fields]]
        name = "pager"
        heading = "Pager"
        required_when = { role = "doctor" }
        [[sheet.fields]]
        name = "role"
        heading = "Role"
        """
    )
    rows = "ana@example.com,ana,Ana,Silva,Sesame-open-7,,,,,{}\nbo@example.com,bo,Bo,Berg,Meadow-Kite-41,,,,,porter\n"
    headings = "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups,Pager,Role\nguidance,,,,,,,,,\n"
    place.write("staff.csv", headings + rows.format("Doctor"))
    assert place.json("validate", "staff.csv").codes == [("pager.required", "I3")]
    place.write("staff.csv", headings + rows.format("nurse"))
    assert place.json("validate", "staff.csv").codes == []
    place.run("template", "-o", "blank.csv")
    assert 'Needed where Role is ""doctor""' in (place.folder / "blank.csv").read_text("utf-8")
    checked = place.run("pipeline", "check", "--set", 'sheet.fields.pager.required_when={ rol = "x" }')
    assert checked.status == 2
    assert 'did you mean "role"' in checked.err
