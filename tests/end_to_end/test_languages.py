"""The language of people: what they read is in it, and sheets that were written in one are read in every other."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from functools import lru_cache
from gettext import NullTranslations
from pathlib import Path
from typing import Any

import openpyxl
import polib
import pytest

from musterroll import gettext, language, term
from musterroll.contract import translation
from musterroll.engine import in_language, language_of, load_pipeline, set_language
from support.rosters import HEADINGS, roster, write_csv, write_xlsx
from support.scripts import ROOT
from support.workplace import Inside

GERMAN = 'language = "de"\n'
GERMAN_HEADINGS = (
    *("E-Mail", "Benutzername", "Vorname", "Nachname"),
    *("Passwort", "Ländervorwahl", "Telefon", "Gruppen"),
)


def headings_of(path: Path, delimiter: str = ";") -> tuple[str, ...]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return tuple(next(csv.reader(file, delimiter=delimiter)))


def load(path: Path) -> Any:
    return openpyxl.load_workbook(path)


def spoilt(folder: Path) -> Path:
    """A workbook with a missing forename in row 4."""
    rows = roster(4)
    rows[1][2] = ""
    return write_xlsx(folder / "staff.xlsx", rows)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "de"}, "de"),
        ({"LANG": "de_AT@euro"}, "de"),
        ({"LANG": "tlh_KX.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LANGUAGE": "tlh:de:en"}, "de"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": ""}, "de"),
        ({"LANG": "../../de"}, "en"),
    ],
)
def test_the_environment_asks_for_a_language_as_with_every_program(environment: dict[str, str], expected: str) -> None:
    assert language_of(environment) == expected


def test_a_language_lasts_as_long_as_it_should() -> None:
    with in_language("de"):
        assert (language(), gettext("Column")) == ("de", "Spalte")
        with in_language("en"):
            assert gettext("Column") == "Column"
            set_language("de")
            assert gettext("Column") == "Spalte"
        assert gettext("Column") == "Spalte"
    assert (language(), gettext("Column")) == ("en", "Column")


def test_the_pipeline_goes_before_the_environment(inside: Inside) -> None:
    rows = roster(2)
    rows[0][2] = ""
    sheet = write_csv(inside.folder / "staff.csv", rows)
    assert "Forename is missing; fill it in" in inside.run("validate", sheet).out
    # The heading of the pipeline stays: only a pipeline may say what a sheet is like.
    assert "Forename fehlt; bitte ausfüllen" in inside.run("validate", sheet, LANGUAGE="de").out
    inside.pipeline(GERMAN)
    assert "Vorname fehlt; bitte ausfüllen" in inside.run("validate", sheet).out
    english = inside.run("validate", sheet, "--set", "language=en", LANGUAGE="de")
    assert "Forename is missing; fill it in" in english.out
    assert language() == "en"  # whoever called the program has their own


def test_a_language_that_there_is_none_of_is_a_mistake(inside: Inside) -> None:
    inside.pipeline('language = "tlh"\n')
    refused = inside.run("pipeline", "check")
    assert refused.status == 2
    assert 'language: there is no catalogue for "tlh"; the languages are de, en' in refused.out + refused.err


def test_the_blank_sheet_is_in_the_language_of_the_pipeline_and_english_headings_still_count(inside: Inside) -> None:
    inside.pipeline(GERMAN)
    inside.run("template", "-o", "leer.xlsx")
    users = load(inside.folder / "leer.xlsx")["Benutzer"]
    head, guidance = (tuple(cell.value for cell in row) for row in users.iter_rows(max_row=2))
    assert head == GERMAN_HEADINGS
    assert guidance[2] == "Pflichtangabe. Höchstens 50 Zeichen."
    assert "Die Überschrift darf auch heißen: Forename" in users["C1"].comment.text
    assert users.data_validations.dataValidation[0].error
    for headings in (HEADINGS, GERMAN_HEADINGS):
        sheet = write_csv(inside.folder / "staff.csv", roster(3), headings=headings)
        assert inside.json("validate", sheet).document["problems"] == []


def test_a_customers_own_headings_and_texts_are_not_touched(inside: Inside) -> None:
    own = '[[sheet.fields]]\nname = "forename"\nheading = "Forename"\nguidance = "Needed."\n'
    inside.pipeline(f'{GERMAN}[[sheet.fields]]\nname = "team"\nheading = "Gruppen"\n{own}')
    inside.run("template", "-o", "leer.csv")
    headings = headings_of(inside.folder / "leer.csv", ",")
    assert headings == (*GERMAN_HEADINGS[:2], "Forename", *GERMAN_HEADINGS[3:7], "Groups", "Gruppen")


@pytest.mark.parametrize(("written", "read"), [("de", "en"), ("en", "de"), ("de", "de")])
def test_an_annotated_workbook_is_read_in_every_language(written: str, read: str, inside: Inside) -> None:
    sheet = spoilt(inside.folder)
    inside.run("validate", sheet, "--annotate", "seen.xlsx", "--keep-passwords", LANGUAGE=written)
    book = load(inside.folder / "seen.xlsx")
    assert book.sheetnames == ["Probleme" if written == "de" else "Problems", "Users"]
    if written == "de":
        assert book["Users"]["C4"].comment.text == "musterroll: Fehler: Forename fehlt; bitte ausfüllen"
        assert book["Probleme"]["A1"].value.startswith("1 Problem in staff.xlsx. Bitte korrigieren Sie")
    book["Users"]["C4"].value = "Bo"
    book.save(inside.folder / "seen.xlsx")
    again = inside.json("validate", "seen.xlsx", LANGUAGE=read).document
    assert (again["problems"], again["counts"]["rows"], again["source"]["sheet"]) == ([], 4, "Users")
    # Annotated once more in another language there is still one such worksheet.
    inside.run("validate", "seen.xlsx", "--annotate", "twice.xlsx", "--keep-passwords", LANGUAGE=read)
    assert len(load(inside.folder / "twice.xlsx").sheetnames) == 2


@pytest.mark.parametrize(("written", "read"), [("de", "en"), ("en", "de")])
def test_rejected_rows_are_read_in_every_language(written: str, read: str, inside: Inside) -> None:
    rows = roster(4)
    rows[1][2] = ""
    sheet = write_csv(inside.folder / "staff.csv", rows, delimiter=";")
    done = inside.run("run", sheet, "--yes", "--keep-passwords", "--set", "on_error=skip", LANGUAGE=written)
    assert done.status == 1
    left_out = inside.folder / "staff.rejected.csv"
    heading, reason = ("Gründe", "fehlt") if written == "de" else ("Reasons", "is missing")
    assert headings_of(left_out)[-1] == heading
    text = left_out.read_text(encoding="utf-8-sig")
    assert reason in text
    left_out.write_text(text.replace(f"{rows[1][1]};;", f"{rows[1][1]};Bo;"), encoding="utf-8-sig")
    again = inside.json("validate", left_out, LANGUAGE=read).document
    assert again["problems"] == []


def test_what_a_code_means_is_said_in_the_language(inside: Inside) -> None:
    english, german = (
        inside.json("explain", "forename.required", LANGUAGE=code).document["explanations"] for code in ("en", "de")
    )
    assert german[0]["advice"] == "füllen Sie sie aus, oder das, woraus sie gebildet wird"
    texts = ("when", "advice", "example")
    assert [{**one, **dict.fromkeys(texts)} for one in english] == [{**one, **dict.fromkeys(texts)} for one in german]


def test_plugins_bring_catalogues_of_their_own(inside: Inside) -> None:
    inside.write(
        "rules/team.py",
        "from musterroll import rule\n"
        '@rule("team", field="surname", code="acme.team")\n'
        "def team(surname: str) -> str | None:\n"
        '    """Surnames are short."""\n'
        '    return "{heading} is no name of ours"\n',
    )
    inside.write(
        "rules/languages/de.po",
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        'msgid "{heading} is no name of ours"\nmsgstr "{heading} ist keiner unserer Namen"\n',
    )
    inside.pipeline(f'plugins = ["rules/team.py"]\n{GERMAN}[[validators]]\nname = "team"\nuse = "team"\n')
    sheet = write_csv(inside.folder / "staff.csv", roster(1))
    said = {one["message"] for one in inside.json("validate", sheet).document["problems"]}
    assert said == {"Nachname ist keiner unserer Namen"}


def test_programs_say_the_language_themselves(inside: Inside) -> None:
    inside.pipeline(GERMAN)
    pipeline = load_pipeline(inside.folder / "musterroll.toml")
    assert (pipeline.language, language()) == ("de", "en")
    with in_language("de"):
        inside.pipeline()
        assert load_pipeline(inside.folder / "musterroll.toml").language == "de"


@pytest.mark.parametrize("ending", [".html", ".md", ".junit.xml"])
def test_a_report_says_nothing_in_another_language(ending: str, inside: Inside) -> None:
    rows = roster(4)
    rows[1][2], rows[2][6] = "", "07712345678"
    sheet = write_csv(inside.folder / "staff.csv", rows)
    inside.run("plan", sheet, "--set", "on_error=skip", "--set", "language=de", "--report", f"plan{ending}")
    inside.run("run", sheet, "--yes", "--set", "on_error=skip", "--report", f"job{ending}", LANGUAGE="de")
    told = (inside.folder / f"plan{ending}").read_text() + (inside.folder / f"job{ending}").read_text()
    told = re.sub(r"<(script|style)>.*?</\1>", "", told, flags=re.DOTALL).replace("\\", "")
    assert "Vorname fehlt; bitte ausfüllen" in told
    assert "Auftrag" in told or ending == ".junit.xml"
    said = re.sub(r"<[^>]*>", " ", told)
    assert [text for text in english_words() if re.search(rf"\b{re.escape(text)}\b", said)] == []
    if ending == ".html":
        assert '<html lang="de">' in told
        assert 'data-some="{shown} von {count} angezeigt"' in told


def english_words() -> list[str]:
    """Words of reports that are others in German, as they stand between placeholders."""
    found = set[str]()
    for entry in polib.pofile(str(ROOT / "core" / "musterroll" / "languages" / "de.po")):
        if entry.occurrences[0][0].startswith(("reports/", "contract/terms", "sheet/problem_groups")):
            parts = (part.strip(" :,.…()") for part in re.split(r"\{\w+\}", entry.msgid))
            found.update(part for part in parts if len(part) > 3 and part not in entry.msgstr)
    found -= {"email", "rejected"}  # a field, and part of the name of a file
    return sorted(found)


def test_what_the_main_commands_print_is_in_the_language(inside: Inside) -> None:
    inside.pipeline(GERMAN)
    rows = roster(1100)
    rows[1][2] = ""
    sheet = write_csv(inside.folder / "staff.csv", rows)
    checked, planned = inside.run("validate", sheet), inside.run("plan", sheet, "--set", "on_error=skip")
    assert "staff.csv: 1100 Zeilen" not in checked.out
    assert "1.100 Zeilen, davon 1 mit Fehlern; 1 Fehler" in checked.out
    assert "ZELLEN" in checked.out
    assert "Plan: 1.099 anzulegen" in planned.out
    assert "Nichts wurde geschrieben." in planned.out


def test_why_a_row_is_left_alone_is_in_the_language() -> None:
    with in_language("de"):
        assert term("not before 2026-12-31") == "nicht vor dem 2026-12-31"
        assert term("the user exists") == "den Benutzer gibt es schon"
    assert term("not before 2026-12-31") == "not before 2026-12-31"


class Masked(NullTranslations):
    """A language without letters: whatever is still English words has not been looked up."""

    def gettext(self, message: str) -> str:
        parts = re.split(r"(\{\w+\})", message)
        return "".join(part if part.startswith("{") else re.sub(r"[A-Za-z]", "·", part) for part in parts)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


@pytest.fixture
def masked(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Runs a command and returns what it says in English words: two of them that follow each other."""

    @lru_cache
    def catalogue(code: str) -> NullTranslations:
        return Masked() if code == "de" else NullTranslations()

    monkeypatch.setattr(translation, "_catalogue_of", catalogue)

    def run(*arguments: object, status: int | None = None) -> list[str]:
        ended = inside.run(*arguments, LANGUAGE="de")
        if status is not None:
            assert ended.status == status, ended.out + ended.err
        said = re.sub(r"(musterroll|cd) \w+|^error: .*\nTry.*", "", ended.out + ended.err)
        return [f"{' '.join(map(str, arguments))}: {words}" for words in _ENGLISH.findall(said)]

    return run


_ENGLISH = re.compile(r"(?<![\w./])[A-Za-z]{2,}(?: [a-z]{2,})+")


def test_everything_that_is_said_while_a_sheet_is_checked_and_planned_is_looked_up(
    inside: Inside, masked: Callable[..., list[str]]
) -> None:
    rows = roster(6)
    good = write_csv(inside.folder / "good.csv", rows)
    rows[3][6], rows[4][2] = "07712345678", ""
    bad = write_csv(inside.folder / "bad.csv", rows)
    found = [
        *masked("validate", bad, "--annotate", "a.csv", status=1),
        *masked("validate", bad, "--fix", "-o", "fixed.csv", status=1),
        *masked("validate", bad, "--fix", "--diff", status=1),
        *masked("explain", "forename.required", status=0),
        *masked("plan", bad, "--set", "on_error=skip", "--report", "r.html", status=1),
        *masked("plan", bad, "-o", "bad.json", status=1),
        *masked("plan", good, "-o", "plan.json", status=0),
        *masked("plan", good, "--expect", "create=1", status=3),
        *masked("plan", good, "--set", "limits.create=1", status=3),
        *masked("run", good, "--set", "confirm=true", status=3),
        *masked("run", good, "--set", "limits.create=1", status=3),
        *masked("jobs", "show", "last", status=0),
    ]
    assert not found, "\n".join(found)


def test_everything_that_is_said_of_jobs_and_invites_is_looked_up(
    inside: Inside, masked: Callable[..., list[str]]
) -> None:
    rows = roster(6)
    good = write_csv(inside.folder / "good.csv", rows)
    rows[3][3], rows[4][2] = "Another", ""
    bad = write_csv(inside.folder / "bad.csv", rows)
    inside.run("plan", good, "-o", "plan.json")
    found = [
        *masked("run", good, "--yes", status=0),
        *masked("invites", "list", status=0),
        *masked("invites", "send", "--dry-run", "--resend", status=0),
        *masked("invites", "send", "--user", "user1", "--resend", "--yes", status=0),
        *masked("invites", "release", "--all", status=0),
        *masked("invites", "release", "nobody", status=2),
        *masked("jobs", "undo", "last", "--yes", status=3),
        *masked("run", bad, "--set", "on_error=skip", "--yes", status=1),
        *masked("apply", "plan.json", "--yes", status=3),
        *masked("jobs", "list", status=0),
        *masked("jobs", "show", "last", "--row", 3, status=0),
        *masked("jobs", "show", "last", "--row", 7, status=0),
        *masked("jobs", "show", "last", "--row", 99, status=2),
        *masked("jobs", "resume", "last"),
        *masked("jobs", "approve", "last", status=3),
        *masked("jobs", "undo", "last", "--yes"),
        *masked("jobs", "undo", "last", "--yes", status=3),
        *masked("jobs", "prune", "--keep", 1, "--yes", status=0),
        *masked("forget", "user1", "--yes", status=0),
    ]
    assert not found, "\n".join(found)


def test_everything_that_is_said_of_a_mistake_and_around_a_sheet_is_looked_up(
    inside: Inside, masked: Callable[..., list[str]]
) -> None:
    sheet = write_csv(inside.folder / "staff.csv", roster(2))
    strange = write_csv(inside.folder / "strange.csv", roster(2), headings=[f"x{name}" for name in HEADINGS])
    inside.write("picture.csv", "%PDF-1.4")
    inside.write("open.csv", 'Username,Forename\n"a,b\n')
    found = [
        *masked("template", "-o", "blank.xlsx", status=0),
        *masked("template", "-o", "blank.xlsx", status=2),
        *masked("template", "-o", "blank.pdf", status=2),
        *masked("template", "--as", "pdf", status=2),
        *masked("export", "-o", "users.xlsx", status=0),
        *masked("export", "--group", "Nowhere", "-o", "group.xlsx", status=2),
        *masked("init", "new", status=0),
        *masked("init", "theirs", "--from", strange),
        *masked("pipeline", "map", strange),
        *masked("pipeline", "check", status=0),
        *masked("explain", "forename.requird", status=2),
        *masked("validate", "nothing.csv", status=2),
        *masked("validate", ".", status=2),
        *masked("validate", "picture.csv", status=2),
        *masked("validate", "open.csv", status=2),
        *masked("validate", sheet, "-o", "copy.csv", status=2),
        *masked("plan", sheet, "--rows", "9-3", status=2),
        *masked("plan", sheet, "--only", "zoe", status=2),
        *masked("plan", sheet, "--expect", "crate=1", status=2),
        *masked("plan", sheet, "--report", "report.doc", status=2),
        *masked("apply", "staff.csv", status=2),
        *masked("run", sheet, "--wait", "x", status=2),
        *masked("run", sheet, "--rejected", "rest.csv", status=2),
        *masked("jobs", "list", status=0),
        *masked("jobs", "show", "last", status=2),
        *masked("invites", "list", status=0),
        *masked("invites", "send", "--user", "zoe", "--yes"),
        *masked("forget", "zoe", "--yes", status=2),
    ]
    assert not found, "\n".join(found)
