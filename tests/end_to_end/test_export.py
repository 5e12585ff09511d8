"""There and back: what `export` writes asks for no change, and what is edited in it for just that."""

from __future__ import annotations

import csv
import io
import stat
from collections.abc import Sequence

import pytest

from musterroll.sheet.existing_users import MAY_STAY_EMPTY, STAY_INACTIVE
from support.office import libreoffice, needs_libreoffice
from support.rosters import write_csv
from support.workplace import Inside, Workplace, asks_for_nothing

HEADINGS = ["Email", "Username", "Forename", "Surname", "Password", "Calling Code", "Phone", "Groups", "Staff No"]
OWN_FIELD = '[[sheet.fields]]\nname = "staff"\nheading = "Staff No"\n'
# What a spreadsheet program spoils where it is not told that it is text.
SPOILT = [
    [
        "ana@example.com",
        "ana",
        "Ana",
        "+Silva",
        "",
        "44",
        "7712345678",
        r"Region|North;Sales \; Marketing;A\|b",
        "00123",
    ],
    ["", "0042", "May", "1/2", "", "", "", "Region", "MAR1"],
    ["", "441234567890", "TRUE", "1.50", "", "", "", "", "1234567890123456789"],
    ["", "cy", "@Cy", "-x", "", "", "", "Region", "1E5"],
    ["", "dö", "D", "Ångström, 'Jr'", "", "", "", "Größe|Ä", "'0042"],
    ["", "eq", "E", '="=SUM(1)"', "", "", "", '="=2+3"', ""],
]


def fill(place: Workplace, rows: Sequence[Sequence[str]], more: str = "") -> None:
    """Puts users into the portal."""
    place.pipeline(f'invites.send_to = "none"\n{more}\n{OWN_FIELD}')
    write_csv(place.folder / "first.csv", [[*row[:4], "Meadow-Kite-41", *row[5:]] for row in rows], headings=HEADINGS)
    done = place.json("run", "first.csv")
    assert done.document["job"]["counts"]["created"] == len(rows), done.out


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.mark.parametrize("form", ["csv", "xlsx", "ods"])
def test_what_is_exported_asks_for_nothing(inside: Inside, form: str) -> None:
    fill(inside, SPOILT)
    written = inside.json("export", "-o", f"out.{form}")
    assert written.status == 0
    assert written.document["export"] == {"path": f"out.{form}", "format": form, "users": len(SPOILT), "left_out": 0}
    asks_for_nothing(inside, f"out.{form}", len(SPOILT))
    assert stat.S_IMODE((inside.folder / f"out.{form}").stat().st_mode) & 0o077 == 0


@needs_libreoffice
@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv:44,34,76", "xlsx", "ods"])
def test_also_after_libreoffice_has_saved_it(inside: Inside, form: str) -> None:
    kind = form.partition(":")[0]
    # A program that saves csv takes the marks away that say that `=…` is text, so those are for workbooks.
    users = [row for row in SPOILT if kind != "csv" or row[1] != "eq"]
    fill(inside, users)
    inside.run("export", "-o", f"out.{kind}")
    read_as = "Text - txt - csv (StarCalc):44,34,76" if kind == "csv" else None
    saved = libreoffice(inside.folder / f"out.{kind}", form, inside.folder / "saved", read_as=read_as)
    asks_for_nothing(inside, saved, len(users))


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "xlsx", "ods"])
def test_ten_thousand_users(place: Workplace, form: str) -> None:
    fill(place, [["", f"user{n}", "U", f"S{n}", "", "", "", f"G{n % 7}|H", f"{n:05}"] for n in range(10_000)])
    assert place.run("export", "-o", f"out.{form}").status == 0
    asks_for_nothing(place, f"out.{form}", 10_000)


def test_the_sentence_lets_passwords_stay_empty_but_for_who_is_new(inside: Inside) -> None:
    fill(inside, SPOILT[:1])
    rows = rows_of(inside.run("export").out)
    assert rows[1][4].startswith(MAY_STAY_EMPTY)
    assert rows[2][4] == ""
    write_csv(inside.folder / "more.csv", [rows[2], ["", "new", "New", *[""] * 6]], headings=HEADINGS, guidance=rows[1])
    planned = inside.json("plan", "more.csv")
    assert planned.codes == [("password.required", "E4")]
    checked = inside.json("validate", "more.csv")
    assert (checked.status, checked.codes) == (0, [])  # who is new is known to the portal only
    rows[1][4] = "Needed."
    write_csv(inside.folder / "other.csv", rows[2:], headings=HEADINGS, guidance=rows[1])
    assert inside.json("validate", "other.csv").codes == [("password.required", "E3")]


def test_the_sentence_is_understood_in_every_language(inside: Inside) -> None:
    fill(inside, SPOILT[:1])
    german = inside.run("export", "--set", "language=de").out
    (inside.folder / "german.csv").write_text(german, encoding="utf-8")
    assert MAY_STAY_EMPTY not in german
    assert inside.json("validate", "german.csv", "--set", "language=de").codes == []
    rows = rows_of(german)
    write_csv(inside.folder / "english.csv", rows[2:], headings=HEADINGS, guidance=rows[1])
    assert inside.json("validate", "english.csv").codes == []


@pytest.mark.parametrize("form", ["csv", "xlsx", "ods"])
def test_the_sentence_stays_in_an_annotated_copy(inside: Inside, form: str) -> None:
    fill(inside, SPOILT)
    inside.run("export", "-o", f"out.{form}")
    assert inside.run("validate", f"out.{form}", "--annotate", f"seen.{form}").status == 0
    assert inside.json("validate", f"seen.{form}").codes == []
    asks_for_nothing(inside, f"seen.{form}", len(SPOILT))


def test_the_sentence_stays_in_the_rejected_rows(inside: Inside) -> None:
    fill(inside, SPOILT[:2])
    rows = rows_of(inside.run("export").out)
    kept, rows[2][0] = rows[2][0], "broken"
    write_csv(inside.folder / "edited.csv", rows[2:], headings=HEADINGS, guidance=rows[1])
    assert inside.run("run", "edited.csv", "--yes", "--set", "on_error=skip").status == 1
    left_out = inside.folder / "edited.rejected.csv"
    text = left_out.read_text(encoding="utf-8-sig")
    assert MAY_STAY_EMPTY in text
    left_out.write_text(text.replace("broken", kept, 1), encoding="utf-8-sig")
    assert inside.json("validate", left_out).codes == []


def test_an_edited_cell_is_the_only_change(inside: Inside) -> None:
    fill(inside, SPOILT)
    rows = rows_of(inside.run("export").out)
    (at,) = [place for place, row in enumerate(rows) if row[1] == "ana"]
    rows[at][3] = "Souza"
    write_csv(inside.folder / "edited.csv", rows[2:], headings=HEADINGS, guidance=rows[1])
    planned = inside.json("plan", "edited.csv")
    (change,) = [one for one in planned.document["changes"] if one["action"] != "unchanged"]
    assert change["fields"] == {"surname": {"before": "+Silva", "after": "Souza"}}
    assert change["groups"] == {"add": [], "remove": []}


def test_a_group_and_deactivated_users(inside: Inside) -> None:
    fill(inside, SPOILT)
    inside.pipeline(f'invites.send_to = "none"\nabsent = "deactivate"\nlimits.deactivate = 20\n{OWN_FIELD}')
    write_csv(
        inside.folder / "without.csv", [[*row[:4], "Meadow-Kite-41", *row[5:]] for row in SPOILT[:3]], headings=HEADINGS
    )
    assert inside.run("run", "without.csv").status == 0

    def exported(*options: str) -> list[str]:
        return sorted(row[1].strip('="') for row in rows_of(inside.run("export", *options).out)[2:])

    assert exported() == ["0042", "441234567890", "ana"]
    assert exported("--inactive") == ["0042", "441234567890", "ana", "cy", "dö", "eq"]
    assert exported("--group", "REGION") == ["0042"]
    assert exported("--group", "region", "--inactive") == ["0042", "cy"]
    assert exported("--group", r"Sales \; Marketing") == ["ana"]
    wrong = inside.json("export", "--group", "Regoin", "-o", "no.csv")
    assert (wrong.status, wrong.document["error"]["code"]) == (2, "group.unknown")
    assert 'did you mean "Region"?' in wrong.document["error"]["message"]
    assert not (inside.folder / "no.csv").exists()


def test_other_signs_other_headings_and_a_whole_number(inside: Inside) -> None:
    more = """
        [sheet]
        omit = ["calling_code", "surname"]
        [[sheet.fields]]
        name = "forename"
        heading = "Vorname"
        [[groups]]
        name = "groups-column"
        use = "paths"
        options = { separator = ",", level = "/" }
    """
    inside.pipeline(more)
    head = ["Email", "Username", "Vorname", "Password", "Phone", "Groups"]
    write_csv(inside.folder / "s.csv", [["", "ana", "Ana", "Meadow-Kite-41", "+447712345678", "A/B,C"]], headings=head)
    assert inside.json("run", "s.csv").status == 0
    rows = rows_of(inside.run("export").out)
    assert rows[0] == head
    assert rows[2] == ["", "ana", "Ana", "", '="+447712345678"', "A/B,C"]


def test_an_empty_portal_and_no_file_of_it(inside: Inside) -> None:
    done = inside.run("export", "-o", "none.xlsx")
    assert (done.status, "with 0 users" in done.out) == (0, True)
    assert not inside.directory.exists()


def test_who_would_be_taken_for_somebody_else_is_left_out_and_told(inside: Inside) -> None:
    fill(inside, [["ana@example.com", "ana@example.com", *SPOILT[0][2:]], ["bo@example.com", "bo", *SPOILT[3][2:]]])
    inside.pipeline(f'sheet.compose.username = "{{email}}"\n{OWN_FIELD}')
    done = inside.run("export")
    assert [row[0] for row in rows_of(done.out)[2:]] == ["ana@example.com"]
    assert "1 user left out" in done.err


def test_what_cannot_be_written_is_said(inside: Inside) -> None:
    assert inside.json("export").document["error"]["code"] == "usage"
    inside.write("out.csv", "mine")
    assert inside.json("export", "-o", "out.csv").document["error"]["code"] == "output.exists"
    assert inside.json("export", "-o", "out.pdf").document["error"]["code"] == "output.unsupported"
    assert inside.run("export", "-o", "out.csv", "--force").status == 0


def test_a_portal_that_cannot_list_its_users_says_so(inside: Inside) -> None:
    inside.write(
        "portal.py",
        """
from musterroll import Options, UserBackendType, hookimpl
from musterroll.testing import MemoryBackend


class Shy:
    def __init__(self):
        self.inner = MemoryBackend()

    def __getattr__(self, name):
        if name == "all_users":
            raise AttributeError(name)
        return getattr(self.inner, name)


@hookimpl
def musterroll_user_backends():
    yield UserBackendType(name="shy", summary="Shy", options=Options, build=lambda options, context: Shy())
""",
    )
    inside.write("musterroll.toml", 'name = "test"\nplugins = ["portal.py"]\n[backend]\nuse = "shy"\n')
    done = inside.json("export", "-o", "out.csv")
    assert (done.status, done.document["error"]["code"]) == (2, "export.unsupported")
    assert "cannot list" in done.document["error"]["message"]


@pytest.mark.parametrize("more", ['sheet.omit = ["password"]', 'sheet.make.password = { generate = "words" }'])
def test_nobody_is_told_of_passwords_that_no_row_needs(inside: Inside, more: str) -> None:
    inside.pipeline(f'invites.send_to = "none"\nsheet.first_row = 2\n{more}')
    assert inside.run("export", "-o", "out.csv").err == ""
    inside.pipeline('invites.send_to = "none"\nsheet.first_row = 2')
    assert "password.required" in inside.run("export", "-o", "again.csv").err


LEAVERS = [["", "ana", "Ana", *[""] * 6], ["", "bo", "Bo", *[""] * 6], ["", "cy", "Cy", *[""] * 6]]
ACTIVE = '[[sheet.fields]]\nname = "here"\nheading = "Here"\nrole = "active"\n'
COMMAND = '[[sheet.fields]]\nname = "wish"\nheading = "Wish"\nrole = "command"\n'


def with_leavers(place: Workplace, more: str) -> list[list[str]]:
    """Exports a portal in which bo and cy are inactive: cy because the job that created cy was undone."""
    fill(place, LEAVERS[:2], more)
    place.by_hand("UPDATE users SET active = 0 WHERE username = 'bo'")
    write_csv(place.folder / "cy.csv", [[*LEAVERS[2][:4], "Meadow-Kite-41", *LEAVERS[2][5:]]], headings=HEADINGS)
    assert place.json("run", "cy.csv").status == 0
    assert place.json("jobs", "undo", "last", "--yes").status == 0
    assert place.run("export", "--inactive", "-o", "out.csv", "--force").status == 0
    return rows_of((place.folder / "out.csv").read_text(encoding="utf-8"))


def is_as_it_was(place: Workplace, users: int = 3) -> None:
    asks_for_nothing(place, "out.csv", users)
    assert place.json("run", "out.csv").status == 0
    assert {name: user["active"] for name, user in place.users().items()} == {"ana": 1, "bo": 0, "cy": 0}


@pytest.mark.parametrize("choice", ["error", "reactivate", "update"])
def test_whoever_is_inactive_stays_so(inside: Inside, choice: str) -> None:
    rows = with_leavers(inside, f'on_inactive = "{choice}"')
    assert rows[1][1].startswith(STAY_INACTIVE)
    is_as_it_was(inside)


def test_a_sheet_that_no_longer_keeps_leavers_is_not_taken_for_the_same(inside: Inside) -> None:
    rows = with_leavers(inside, 'on_inactive = "reactivate"')
    is_as_it_was(inside)
    assert inside.json("run", "out.csv").status == 0  # a run that left nothing to do
    write_csv(inside.folder / "out.csv", rows[2:], headings=rows[0], guidance=["", "", "", "", rows[1][4]])
    assert inside.json("run", "out.csv").status == 0
    assert {name: user["active"] for name, user in inside.users().items()} == {"ana": 1, "bo": 1, "cy": 1}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (ACTIVE, ["", "no", "no"]),
        (ACTIVE + 'aliases = { no = ["left"], yes = ["here"] }\n', ["", "left", "left"]),
        (ACTIVE + "required = true\n", ["yes", "no", "no"]),
        (COMMAND, ["", "deactivate", "deactivate"]),
        (COMMAND + 'aliases = { deactivate = ["Austritt"] }\nrequired = true\n', ["update", "Austritt", "Austritt"]),
    ],
)
def test_a_column_that_says_what_becomes_of_users_says_so_of_whoever_is_inactive(
    inside: Inside, columns: str, said: list[str]
) -> None:
    rows = with_leavers_and_a_column(inside, columns)
    place = rows[0].index("Here" if columns.startswith(ACTIVE) else "Wish")
    assert [row[place] for row in sorted(rows[2:], key=lambda row: row[1])] == said
    assert STAY_INACTIVE not in str(rows)
    is_as_it_was(inside)


def with_leavers_and_a_column(place: Workplace, columns: str) -> list[list[str]]:
    with_leavers(place, 'on_inactive = "reactivate"')
    place.pipeline(f'invites.send_to = "none"\non_inactive = "reactivate"\n{OWN_FIELD}{columns}')
    assert place.run("export", "--inactive", "-o", "out.csv", "--force").status == 0
    return rows_of((place.folder / "out.csv").read_text(encoding="utf-8"))


def test_a_command_that_cannot_say_it_leaves_it_to_the_sentence(inside: Inside) -> None:
    rows = with_leavers_and_a_column(inside, COMMAND + 'choices = ["create", "update"]\n')
    assert STAY_INACTIVE in str(rows[1])
    is_as_it_was(inside)


@pytest.mark.parametrize("form", ["csv", "xlsx", "ods"])
def test_the_sentence_for_leavers_stays_in_an_annotated_copy(inside: Inside, form: str) -> None:
    with_leavers(inside, 'on_inactive = "reactivate"')
    assert inside.run("export", "--inactive", "-o", f"out.{form}", "--force").status == 0
    assert inside.run("validate", f"out.{form}", "--annotate", f"seen.{form}").status == 0
    asks_for_nothing(inside, f"seen.{form}", 3)


def test_the_sentence_for_leavers_is_understood_in_every_language(inside: Inside) -> None:
    rows = with_leavers(inside, 'on_inactive = "reactivate"')
    german = rows_of(inside.run("export", "--inactive", "--set", "language=de").out)
    assert STAY_INACTIVE not in str(german)
    write_csv(inside.folder / "out.csv", rows[2:], headings=HEADINGS, guidance=german[1])
    is_as_it_was(inside)


def test_without_the_sentence_the_pipeline_decides(inside: Inside) -> None:
    rows = with_leavers(inside, 'on_inactive = "reactivate"')
    write_csv(inside.folder / "back.csv", rows[2:], headings=rows[0], guidance=["", "", "", "", rows[1][4]])
    planned = inside.json("plan", "back.csv")
    assert [change["username"] for change in planned.document["changes"] if change["action"] == "update"] == [
        "bo",
        "cy",
    ]


def test_a_sheet_that_cannot_say_it_is_not_written(inside: Inside) -> None:
    more = 'password.required = "never"\n[sheet]\nfirst_row = 2\n'
    inside.pipeline(f'invites.send_to = "none"\non_inactive = "reactivate"\n{more}{OWN_FIELD}')
    refused = inside.json("export", "--inactive", "-o", "out.csv")
    assert (refused.status, refused.document["error"]["code"]) == (2, "export.inactive")
    assert not (inside.folder / "out.csv").exists()
    assert inside.json("export", "-o", "out.csv").status == 0
    assert inside.json("export", "--inactive", "-o", "all.csv", "--set", "on_inactive=update").status == 0
