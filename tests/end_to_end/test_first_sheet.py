"""The first sheet of a new customer: `init --from` and `pipeline map`."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from support.workplace import Inside

STAFF = """Personalliste 2026;;;;;;
Vorname;Nachname;E-Mail-Adresse;Handy;Abteilung;Benutzername;Startpasswort
Pflicht;Pflicht;Die dienstliche Adresse;Mit Vorwahl;;;
Jürgen;Müller;j.mueller@example.com;+49 170 1234567;Vertrieb;jmueller;Sommer-Wiese-41
Anna;Weiß;a.weiss@example.com;+49 170 7654321;Einkauf;aweiss;Kanne-Baum-82
"""


@pytest.fixture
def place(scratch: Inside) -> Inside:
    scratch.write("staff.csv", STAFF)
    return scratch


def test_a_pipeline_that_is_made_of_a_sheet_takes_it(place: Inside, tmp_path: Path) -> None:
    made = place.json("init", "acme", "--from", "staff.csv")
    assert made.status == 0
    assert made.document["doubts"] == []
    assert [one["field"] for one in made.document["columns"]] == [
        "forename",
        "surname",
        "email",
        "phone",
        None,
        "username",
        "password",
    ]
    assert sorted(path.name for path in (tmp_path / "acme").iterdir()) == ["musterroll.toml", "template.xlsx"]
    folder = place.at("acme")
    assert folder.run("run", "../staff.csv", "--yes").status == 0
    users = folder.users()
    juergen, anna = users["jmueller"], users["aweiss"]
    assert (juergen["calling_code"], juergen["phone"]) == ("49", "1701234567")
    assert juergen["attributes"] == {"abteilung": "Vertrieb"}
    assert anna["surname"] == "Weiß"
    assert "Sommer-Wiese" not in (tmp_path / "acme" / "musterroll.toml").read_text(encoding="utf-8")


def test_what_it_is_not_sure_of_is_said(place: Inside, tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text("Name,Mail,Mobile\nAna Silva,ana@example.com,7712345678\n")
    made = place.run("init", "few", "--from", "few.csv")
    assert made.status == 0
    for text in ("whole names", "there is no username", "there is no password", "no Forename", "calling_code"):
        assert text in made.out
    settings = tomllib.loads((tmp_path / "few" / "musterroll.toml").read_text(encoding="utf-8"))
    assert settings["sheet"]["compose"] == {"username": "{email}"}
    assert settings["password"] == {"required": "never"}


@pytest.mark.parametrize(("sheet", "message"), [("nix.csv", "does not exist"), ("users.csv", "holds no headings")])
def test_a_sheet_that_says_nothing_leaves_nothing_behind(
    sheet: str, message: str, place: Inside, tmp_path: Path
) -> None:
    (tmp_path / "users.csv").write_text("ana@example.com,ana,Ana,Silva,Meadow-Kite-41\n" * 3)
    made = place.run("init", "acme", "--from", sheet)
    assert made.status == 2
    assert message in made.err
    assert "Meadow" not in made.out + made.err
    assert not (tmp_path / "acme").exists()


def test_aliases_are_written_into_the_pipeline_file_and_its_comments_stay(place: Inside, tmp_path: Path) -> None:
    file = tmp_path / "acme.toml"
    file.write_text(
        'name = "acme"  # keep the name\n\n[sheet]\nheading_row = 2  # the title is above\nfirst_row = 4\n'
        'omit = ["calling_code", "groups"]\n\n[sheet.aliases]\nusername = ["Login"]\n'
    )
    missing = place.json("validate", "staff.csv", "-p", "acme.toml").document["problems"][0]
    assert 'username = ["Login", "Benutzername"]' in missing["message"]
    mapped = place.json("pipeline", "map", "staff.csv", "-p", "acme.toml")
    assert mapped.document["missing"] == []
    assert mapped.document["aliases"]["username"] == ["Benutzername"]
    text = file.read_text()
    assert "# keep the name" in text
    assert "# the title is above" in text
    assert tomllib.loads(text)["sheet"]["aliases"]["username"] == ["Login", "Benutzername"]
    assert place.json("validate", "staff.csv", "-p", "acme.toml").status == 0
    before = file.read_bytes()
    assert place.json("pipeline", "map", "staff.csv", "-p", "acme.toml").document["aliases"] == {}
    assert file.read_bytes() == before


_OMIT = 'omit = ["calling_code", "groups"]'


@pytest.mark.parametrize(
    "written",
    [
        f"sheet.heading_row = 2\nsheet.first_row = 4\nsheet.{_OMIT}",
        f"sheet = {{ heading_row = 2, first_row = 4, {_OMIT} }}",
        f'sheet.heading_row = 2\nsheet.first_row = 4\nsheet.{_OMIT}\nsheet.aliases = {{ username = ["Login"] }}',
        f'sheet.aliases.username = ["Login"]\nsheet.heading_row = 2\nsheet.first_row = 4\nsheet.{_OMIT}',
        f"sheet.heading_row = 2\nsheet.first_row = 4\nstrict = false\nsheet.{_OMIT}",
    ],
)
def test_aliases_are_written_however_the_file_writes_its_settings(written: str, place: Inside, tmp_path: Path) -> None:
    file = tmp_path / "acme.toml"
    file.write_text(f'name = "acme"\n{written}\non_error = "skip"\nbackend.use = "memory"\n')
    before = tomllib.loads(file.read_text())
    assert place.json("pipeline", "map", "staff.csv", "-p", "acme.toml").status == 0
    after = tomllib.loads(file.read_text())
    aliases = after["sheet"].pop("aliases")
    assert aliases["username"][-1] == "Benutzername"
    before["sheet"].pop("aliases", None)
    assert after == before
    assert place.json("validate", "staff.csv", "-p", "acme.toml").status == 0


def test_without_a_pipeline_file_there_is_nothing_to_write_to(place: Inside) -> None:
    mapped = place.run("pipeline", "map", "staff.csv")
    assert mapped.status == 2
    assert "init DIR --from" in mapped.err
