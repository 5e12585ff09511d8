"""Whatever is wrong: one clear line, the exit status of the contract, and one JSON document. No traceback."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook

from support.rosters import HEADINGS, roster, write_csv, write_xlsx
from support.workplace import Inside, Workplace


@pytest.fixture
def place(inside: Inside) -> Workplace:
    """All commands of these tests run in this very process, which is much quicker."""
    return inside


PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8


def _encrypted(path: Path) -> None:
    """The head and the directory of an OLE file that holds an encrypted workbook."""
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    header[24:34] = b"\x3e\x00\x03\x00\xfe\xff\x09\x00\x06\x00"
    header[48:52] = (0).to_bytes(4, "little")
    name = "EncryptedPackage".encode("utf-16-le")
    entry = name + bytes(64 - len(name)) + (len(name) + 2).to_bytes(2, "little") + bytes(62)
    path.write_bytes(bytes(header) + entry + bytes(2048))


def _docx(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<w/>")


def _truncated(path: Path) -> None:
    buffer = io.BytesIO()
    Workbook().save(buffer)
    path.write_bytes(buffer.getvalue()[:-900])


FILES: dict[str, tuple[Callable[[Path], object], int]] = {
    "missing": (lambda path: None, 2),
    "folder": (lambda path: path.mkdir(), 2),
    **({"pipe": (os.mkfifo, 2)} if hasattr(os, "mkfifo") else {}),
    "picture": (lambda path: path.write_bytes(PNG), 2),
    "truncated": (_truncated, 2),
    "encrypted": (_encrypted, 2),
    "document": (_docx, 2),
    "empty": (lambda path: path.write_bytes(b""), 1),
    "one heading": (lambda path: path.write_text("Email\n", encoding="utf-8"), 1),
    "noise": (lambda path: path.write_bytes(bytes(range(256)) * 50), 2),
}


@pytest.mark.parametrize("command", ["validate", "plan", "run"])
@pytest.mark.parametrize("kind", FILES)
def test_files(place: Workplace, kind: str, command: str) -> None:
    make, status = FILES[kind]
    sheet = place.folder / "users.xlsx"
    make(sheet)
    done = place.json(command, sheet)
    assert done.status == status
    document = done.document
    assert document["command"] == command
    assert document["status"] == ("error" if status == 2 else "problems")
    if status == 2:
        assert document["error"]["code"].startswith("source.")
        assert "users.xlsx" in document["error"]["message"]
        assert "\n" not in document["error"]["message"]
    else:
        assert document["error"] is None
        assert document["problems"]
    told = place.run(command, sheet)
    assert told.status == status
    assert len(told.err.strip().splitlines()) <= 1
    assert not place.directory.exists()


def test_a_csv_that_is_named_xlsx_is_read(place: Workplace) -> None:
    sheet = write_csv(place.folder / "users.xlsx", roster(3))
    done = place.json("validate", sheet)
    assert (done.status, done.document["source"]["format"]) == (0, "csv")


def test_several_sheets_are_ambiguous_until_one_is_named(place: Workplace) -> None:
    sheet = write_xlsx(place.folder / "users.xlsx", roster(3))
    from openpyxl import load_workbook

    workbook = load_workbook(sheet)
    workbook.create_sheet("Old")["A1"] = "something"
    workbook.save(sheet)
    done = place.json("run", sheet)
    assert (done.status, done.codes) == (1, [("sheet.ambiguous", None)])
    assert '"Users"' in done.document["problems"][0]["message"]
    assert place.json("run", sheet, "--set", "sheet.worksheet=Users").status == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('on_errorr = "skip"', 'on_errorr: unknown option, did you mean "on_error"?'),
        ('on_error = "maybe"', "on_error:"),
        ('[[validators]]\nname = "x"\nuse = "emial"', 'did you mean "email"?'),
        ('[[validators]]\nname = "password"\noptions = { min_lenght = 12 }', 'did you mean "min_length"?'),
        ('plugins = ["rules/nothing.py"]', "rules/nothing.py"),
        ('[sheet.defaults]\nforname = "x"', 'did you mean "forename"?'),
        ("name = [", "musterroll.toml"),
    ],
)
def test_mistakes_in_the_pipeline(place: Workplace, text: str, expected: str) -> None:
    sheet = write_csv(place.folder / "staff.csv", roster(2))
    head = "" if text.startswith("name") else 'name = "x"\n'
    place.write("musterroll.toml", head + text)
    for command in (("run", sheet), ("pipeline", "check")):
        done = place.json(*command)
        assert done.status == 2
        assert done.document["status"] == "error"
        assert expected in done.document["error"]["message"]
    told = place.run("run", sheet)
    assert told.status == 2
    assert expected in told.err


def test_all_mistakes_of_a_pipeline_are_told_at_once(place: Workplace) -> None:
    place.write("musterroll.toml", 'name = "x"\non_error = "maybe"\nmatch = ["usrname"]\n[invites]\nvalid_days = 0\n')
    message = place.json("pipeline", "check").document["error"]["message"]
    assert len(message.splitlines()) == 3
    assert all("musterroll.toml: " in line for line in message.splitlines())


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("run", "a.csv", "b.csv"),
        ("run", "a.csv", "--nonsense"),
        ("nonsense",),
        ("jobs", "nonsense"),
        ("run", "a.csv", "--invites", "some"),
        ("run", "a.csv", "--set", "nonsense"),
        ("jobs", "show", "nothing"),
        ("run", "a.csv", "-p", "missing.toml"),
        ("run", "a.csv", "--profile", "missing"),
    ],
)
def test_wrong_usage(place: Workplace, arguments: tuple[str, ...]) -> None:
    place.write("a.csv", "Email\n")
    told = place.run(*arguments)
    assert told.status == 2
    assert told.err.strip()
    done = place.json(*arguments)
    assert done.status == 2
    assert done.document["status"] == "error"
    assert done.document["error"]["message"]


def test_a_rule_that_raises_is_named_with_its_stage_and_row(place: Workplace) -> None:
    place.write(
        "rules/broken.py",
        "from musterroll import Options, ValidatorType, hookimpl\n"
        "class Broken:\n"
        "    def __init__(self, options, context): pass\n"
        "    def check(self, row):\n"
        "        if row.number == 5:\n"
        "            raise ZeroDivisionError('what a pity')\n"
        "        return []\n"
        "@hookimpl\n"
        "def musterroll_validators():\n"
        "    yield ValidatorType(name='broken', summary='Breaks', options=Options, build=Broken)\n",
    )
    place.pipeline('plugins = ["rules/broken.py"]\n[[validators]]\nname = "mine"\nuse = "broken"')
    sheet = write_csv(place.folder / "staff.csv", roster(6))
    done = place.json("run", sheet)
    assert done.status == 2
    assert done.document["error"]["code"] == "plugin.failed"
    message = done.document["error"]["message"]
    assert all(word in message for word in ("validators[mine]", "validating", "row 5", "what a pity"))
    assert not place.directory.exists()
    assert place.json("jobs", "list").document["jobs"] == []


def test_headings_are_known_in_every_case(place: Workplace) -> None:
    assert len({heading.casefold() for heading in HEADINGS}) == len(HEADINGS)
    sheet = write_csv(place.folder / "staff.csv", roster(2), headings=[heading.swapcase() for heading in HEADINGS])
    assert place.json("validate", sheet).codes == []
