"""The file of rejected rows: what is in it, where it is, and that nothing of it is taken for anything else."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from musterroll import CreateUser, engine
from musterroll.errors import MusterrollError, RefusedError, UsageError
from musterroll.testing import Fault
from support.pipelines import Work, user

SKIP = 'on_error = "skip"'
CANARY = "Meadow-Kite-73"


def read(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.reader(file))


def write(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def files(work: Work) -> list[str]:
    return sorted(path.name for path in work.folder.glob("*.rejected*"))


def test_a_row_is_there_as_it_was_with_every_reason_and_without_its_password(work: Work) -> None:
    pipeline = work.pipeline(SKIP)
    sheet = work.sheet(
        user("ana", email="ana@example", password=CANARY),
        user("bo"),
        user("cy", password="short", groups="A|B;"),
        user("", forename=""),
    )
    assert work.run(pipeline, sheet).rows == {"created": 1, "rejected": 3}
    rejected = work.folder / "staff.rejected.csv"
    headings, guidance, ana, cy, nobody = read(rejected)
    assert headings == [*read(sheet)[0], "Reasons"]
    assert guidance[0] == "guidance"
    assert "this column is ignored" in guidance[-1]
    assert ana[:-1] == ["ana@example", "ana", "Ana", "", "", "", "", ""]
    told = ana[-1].splitlines()
    assert told[0].startswith("Email (A): Email is not a valid address")
    assert told[1:] == ["Password (E): it was left out of this file; type it again", "(row 3 of staff.csv)"]
    # The password that is wrong is asked for by its own reason, and once.
    assert [line.partition(":")[0] for line in cy[-1].splitlines()] == [
        "Password (E)",
        "Groups (H)",
        "(row 5 of staff.csv)",
    ]
    assert {"Username (B)", "Forename (C)"} < {line.partition(":")[0] for line in nobody[-1].splitlines()}
    assert CANARY not in rejected.read_text(encoding="utf-8-sig")
    assert "short" not in rejected.read_text(encoding="utf-8-sig")


def test_a_row_that_another_one_keeps_out_says_which(work: Work) -> None:
    pipeline = work.pipeline(SKIP)
    told = work.run(pipeline, work.sheet(user("ana"), user("bo"), user("ANA")))
    assert told.rows == {"created": 1, "rejected": 2}
    first, second = read(work.folder / "staff.rejected.csv")[2:]
    assert first[-1].startswith("row 5 of staff.csv: Username (B): This is the same user as in row 3")
    assert first[-1].endswith("(row 3 of staff.csv)")
    assert second[-1].startswith("Username (B): This is the same user as in row 3")


def test_a_row_with_countless_reasons_shows_ten_and_how_many_more(work: Work) -> None:
    pipeline = work.pipeline(SKIP)
    work.run(pipeline, work.sheet(user("ana", email="ana@example"), *(user("ANA") for _ in range(1200))))
    first = read(work.folder / "staff.rejected.csv")[2][-1].splitlines()
    assert first[0].startswith("Email (A): ")
    assert [line.split(":")[0] for line in first[1:10]] == [f"row {number} of staff.csv" for number in range(4, 13)]
    assert (first[10], first[-1], len(first)) == ("and 1,191 more", "(row 3 of staff.csv)", 13)


def test_reasons_fit_into_a_cell_of_excel(work: Work) -> None:
    pipeline = work.pipeline(SKIP)
    headings = ["Email", "Username", "Forename", "Surname", "Password", "Calling Code", "Phone", "Groups"]
    headings[1] += " " * 40_000
    sheet = write(
        work.folder / "staff.csv", [headings, [""] * 8, ["a@b", "", "x" * 500, "y" * 500, "p", "x", "y", ";"]]
    )
    work.run(pipeline, sheet)
    assert 0 < len(read(work.folder / "staff.rejected.csv")[2][-1]) < 32_767


def test_corrected_it_runs_and_nothing_of_the_reasons_is_taken_in(work: Work) -> None:
    pipeline = work.pipeline(SKIP)
    work.run(pipeline, work.sheet(user("ana", email="ana@example"), user("bo")))
    rejected = work.folder / "staff.rejected.csv"
    rows = read(rejected)
    rows[2][0], rows[2][4] = "ana@example.com", CANARY
    told = work.run(pipeline, write(rejected, rows))
    assert (told.outcome, told.problems, told.rows) == ("ok", (), {"created": 1})
    assert work.portal.user("ana").fields == {"forename": "Ana", "email": "ana@example.com"}


def test_a_row_that_was_emptied_but_for_its_reasons_is_blank(work: Work) -> None:
    pipeline = work.pipeline(SKIP)
    work.run(pipeline, work.sheet(*(user(name, email="x") for name in ("ana", "bo", "cy"))))
    rejected = work.folder / "staff.rejected.csv"
    rows = read(rejected)
    rows[2][0], rows[2][4] = "ana@example.com", CANARY
    rows[3:5] = [["", "", "", "", "", "", "", "", row[-1]] for row in rows[3:5]]
    told = work.run(pipeline, write(rejected, rows))
    assert (told.outcome, told.problems, told.rows) == ("ok", (), {"created": 1})


def test_a_field_of_that_heading_is_a_field(work: Work) -> None:
    own = '[[sheet.fields]]\nname = "why"\nheading = "Reasons"\n[[sheet.fields]]\nname = "more"\nheading = "reasons  2"'
    pipeline = work.pipeline(SKIP, own)
    sheet = work.folder / "staff.csv"
    top = ["Email", "Username", "Forename", "Surname", "Password", "Calling Code", "Phone", "Groups", "Reasons"]
    good = ["", "ana", "Ana", "", CANARY, "", "", "", "tall", "x"]
    only_why = [""] * 8 + ["a reason of the customer's own", ""]
    write(sheet, [[*top, "Reasons 2"], ["guidance"], only_why, good])
    # A row with nothing but a value of its own is no blank row, neither for the plan nor for the passwords.
    told = work.run(pipeline, sheet)
    assert told.rows == {"created": 1, "rejected": 1}
    assert work.portal.user("ana").fields == {"forename": "Ana", "why": "tall", "more": "x"}
    (created,) = work.portal.handed
    assert isinstance(created, CreateUser)
    assert created.password is not None
    assert created.password.reveal() == CANARY
    headings, _, row = read(work.folder / "staff.rejected.csv")
    assert headings[8:] == ["Reasons", "Reasons 2", "Reasons 3"]
    assert row[8] == "a reason of the customer's own"
    again = work.run(pipeline, work.folder / "staff.rejected.csv")
    assert "column.unknown@1" not in again.codes


BEYOND = [
    ["Staff list of May"],
    ["Email", "Note", "Username", "Forename", "Surname", "PASSWORD", "Calling Code", "Phone", "Groups"],
    [],
    ["ana@example", "tall", "ana", "Ana", "", CANARY, "", "", "", "beyond"],
]
LOWER = (
    SKIP + "\nsheet.heading_row = 2\nsheet.first_row = 4" + '\nsheet.omit = ["password"]\npassword.required = "never"'
)


def test_unknown_columns_and_cells_beyond_the_headings_are_kept(work: Work) -> None:
    workbook = Workbook()
    worksheet = workbook.worksheets[0]
    for row in BEYOND:
        worksheet.append(row)
    workbook.save(work.folder / "staff.xlsx")
    work.run(work.pipeline(LOWER), work.folder / "staff.xlsx")
    (written,) = load_workbook(work.folder / "staff.rejected.xlsx").worksheets
    above, headings, blank, ana = [[cell or "" for cell in row] for row in written.iter_rows(values_only=True)]
    assert above[0] == "Staff list of May"
    assert headings[1] == "Note"
    assert headings[9] == "Reasons"
    assert not any(blank)
    assert ana[:9] == ["ana@example", "tall", "ana", "Ana", "", "", "", "", ""]
    assert ana[10] == "beyond"


def test_of_a_row_whose_cells_moved_in_a_text_file_only_the_reason_is_kept(work: Work) -> None:
    """The password may stand in any of its cells."""
    work.run(work.pipeline(LOWER), write(work.folder / "staff.csv", BEYOND))
    _, headings, _, ana = read(work.folder / "staff.rejected.csv")
    assert (headings[1], headings[9]) == ("Note", "Reasons")
    assert not any(ana[:9])
    assert "10 cells" in ana[9]
    assert "correct it in staff.csv" in ana[9]


def test_a_user_in_the_place_of_the_guidance_keeps_the_password_to_the_sheet(work: Work) -> None:
    pipeline = work.pipeline(SKIP)
    sheet = work.sheet(user("bo", email="x"))
    rows = read(sheet)
    rows[1] = ["ana@example.com", "ana", "Ana", "", CANARY, "", "", ""]
    work.run(pipeline, write(sheet, rows))
    assert read(work.folder / "staff.rejected.csv")[1][4].startswith("Needed. At least 8 characters.")


def test_no_file_is_ever_written_over(work: Work) -> None:
    pipeline = work.pipeline(SKIP)
    sheet = work.sheet(user("ana", email="x"))
    (work.folder / "staff.rejected.csv").write_text("mine")
    work.run(pipeline, sheet)
    assert (work.folder / "staff.rejected.csv").read_text() == "mine"
    work.run(pipeline, work.folder / "staff.rejected-2.csv")
    assert files(work) == ["staff.rejected-2.csv", "staff.rejected-3.csv", "staff.rejected.csv"]
    headings, _, row = read(work.folder / "staff.rejected-3.csv")
    assert headings.count("Reasons") == 1
    assert row[-1].endswith("(row 3 of staff.rejected-2.csv)")


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps permissions elsewhere")
def test_only_its_owner_can_read_it(work: Work) -> None:
    work.run(work.pipeline(SKIP), work.sheet(user("ana", email="x")))
    assert (work.folder / "staff.rejected.csv").stat().st_mode & 0o777 == 0o600


def test_without_rejected_rows_there_is_no_file(work: Work) -> None:
    work.run(work.pipeline(SKIP), work.sheet(user("ana")))
    work.run(work.pipeline(), work.sheet(user("ana", email="x")))  # one bad row keeps everything out
    headings = work.sheet(user("bo", email="x"), without=("phone",))
    work.run(work.pipeline(SKIP), headings)
    assert files(work) == []


def test_it_goes_where_a_person_wants_it(work: Work) -> None:
    pipeline = work.pipeline(SKIP)
    wanted = work.folder / "bad.xlsx"
    told = work.run(pipeline, work.sheet(user("ana", email="x"), user("bo")), rejected_to=wanted)
    assert told.job is not None
    assert told.job.rejected_file == str(wanted)
    assert wanted.exists()
    assert files(work) == []


@pytest.mark.parametrize(
    ("name", "top", "said"),
    [
        ("bad.csv", "", "on_error"),
        ("bad.pdf", SKIP, "these are: .csv"),
        ("taken.csv", SKIP, "already"),
        ("nowhere/bad.csv", SKIP, "--rejected"),
    ],
)
def test_where_it_cannot_go_nothing_is_done(name: str, top: str, said: str, work: Work) -> None:
    (work.folder / "taken.csv").write_text("mine")
    sheet = work.sheet(user("ana", email="x"), user("bo"))
    with pytest.raises(MusterrollError, match=said) as refused:
        work.run(work.pipeline(top), sheet, rejected_to=work.folder / name)
    assert not isinstance(refused.value, RefusedError)  # exit status 2
    assert work.portal.handed == []
    with pytest.raises(UsageError, match="no jobs here yet"):
        work.resume(work.pipeline(top))


def test_a_job_that_does_not_happen_leaves_no_file(work: Work) -> None:
    sheet = work.sheet(user("ana", email="x"), user("bo"))
    with pytest.raises(RefusedError):
        work.run(work.pipeline(SKIP), sheet, confirm=lambda summary: False)
    assert files(work) == []
    work.portal.refuses_to_start = True
    with pytest.raises(MusterrollError):
        work.run(work.pipeline(SKIP), sheet)
    assert files(work) == []


def test_it_is_there_before_the_first_write_and_stays_whatever_becomes_of_that(work: Work) -> None:
    sheet = work.sheet(user("ana", email="x"), user("bo"))
    found: list[list[str]] = []
    work.portal.before = lambda op: found.append(files(work))
    work.portal.fault = lambda op: Fault.UNAVAILABLE
    told = work.run(work.pipeline(SKIP), sheet)
    assert found[0] == ["staff.rejected.csv"]
    assert told.state == "paused"
    work.portal.fault = lambda op: None
    told = work.resume(work.pipeline(SKIP))
    assert told.job is not None
    assert told.job.rejected_file == str(work.folder / "staff.rejected.csv")
    assert files(work) == ["staff.rejected.csv"]


def test_a_sheet_that_changes_meanwhile_is_noticed(work: Work) -> None:
    work.run(work.pipeline(SKIP), work.sheet(user("bo")))
    work.portal.handed.clear()
    sheet = work.sheet(user("ana", email="x"), user("bo", surname="Ek"))  # an update, which needs no password

    def confirm(summary: engine.PlanSummary) -> bool:
        work.sheet(user("bo", surname="Ek"), user("ana", email="x"))
        return True

    with pytest.raises(RefusedError, match="has changed"):
        work.run(work.pipeline(SKIP), sheet, confirm=confirm)
    assert files(work) == []
    assert work.portal.handed == []


def killed_before_its_plan_is_agreed_to(work: Work, pipeline: engine.Pipeline, sheet: Path) -> None:
    """Leaves what a process leaves that is killed while the person is asked."""
    kept = work.folder / "killed"

    def confirm(summary: engine.PlanSummary) -> bool:
        shutil.copytree(work.state, kept, ignore=shutil.ignore_patterns("*.lock", "*-shm"))
        return False

    with pytest.raises(RefusedError):
        work.run(pipeline, sheet, confirm=confirm)
    shutil.rmtree(work.state)
    shutil.move(kept, work.state)


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("command", ["run", "apply", "resume", "approve"])
def test_every_command_that_writes_it_keeps_passwords_on_request(command: str, keeps: bool, work: Work) -> None:
    sheet = work.sheet(user("ana", email="x", password=CANARY), user("bo"), user("cy"))
    pipeline = work.pipeline(SKIP, "[limits]\ncreate = 1" if command == "approve" else "")
    match command:
        case "run":
            work.run(pipeline, sheet, keep_passwords=keeps)
        case "apply":
            engine.plan(pipeline, sheet, save_to=engine.PlanTarget(work.folder / "may.plan")).close()
            with engine.SavedPlan(work.folder / "may.plan") as saved:
                engine.apply(work.pipeline(SKIP), saved, keep_passwords=keeps).close()
        case "resume":
            killed_before_its_plan_is_agreed_to(work, pipeline, sheet)
            work.resume(work.pipeline(SKIP), keep_passwords=keeps)
        case "approve":
            work.run(pipeline, sheet)
            engine.approve(pipeline, "last", by="ana", keep_passwords=keeps).close()
    assert len(work.portal.names()) == 2
    row = read(work.folder / "staff.rejected.csv")[2]
    assert row[4] == (CANARY if keeps else "")
    assert ("type it again" in row[-1]) is not keeps
