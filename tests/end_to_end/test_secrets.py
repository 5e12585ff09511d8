"""A canary password is found nowhere but in the backend's hash."""

from __future__ import annotations

import pytest

from support.rosters import roster, write_csv, write_xlsx
from support.workplace import Ended, Inside, Workplace

CANARY = "Kanarienvogel-4711"


@pytest.mark.parametrize("good", [True, False])
def test_a_canary_password_shows_nowhere(place: Workplace, good: bool) -> None:
    place.pipeline("[password]\non_existing = 'reset'", passwords="argon2id")
    rows = roster(4)
    rows[1][4] = CANARY if good else CANARY[:7]
    canary = rows[1][4]
    sheet = write_csv(place.folder / "staff.csv", rows)
    ended: list[Ended] = [
        place.run("validate", sheet, "--verbose"),
        place.run("plan", sheet, "--verbose"),
        place.json("plan", sheet, "--verbose"),
        Workplace(place.folder).run("run", sheet, "--verbose"),  # a process of its own: to its very end
        place.json("run", sheet, "--verbose"),
        place.json("jobs", "show", "last"),
        place.run("jobs", "show", "last", "--verbose"),
    ]
    sheet.unlink()
    for done in ended:
        assert canary not in done.out
        assert canary not in done.err
    for file in place.folder.rglob("*"):
        if file.is_file():
            assert canary.encode() not in file.read_bytes(), file


def test_a_password_typed_as_a_number_is_its_digits_and_is_not_shown(place: Workplace) -> None:
    rows = roster(2)
    sheet = write_xlsx(place.folder / "staff.xlsx", rows)
    from openpyxl import load_workbook

    workbook = load_workbook(sheet)
    workbook["Users"]["E4"] = 1234567
    workbook.save(sheet)
    done = place.json("validate", sheet)
    assert done.codes == [("password.policy", "E4")]
    assert "1234567" not in done.out


def test_a_reset_happens_once_for_each_sheet(place: Workplace) -> None:
    sheet = write_csv(place.folder / "staff.csv", roster(3))
    place.run("run", sheet)
    first = place.json("run", sheet, "--set", "password.on_existing=reset").document
    assert [change["password"] for change in first["changes"]] == ["reset"] * 3
    again = place.json("run", sheet, "--set", "password.on_existing=reset").document
    assert [change["password"] for change in again["changes"]] == ["keep"] * 3
    assert again["job"]["counts"]["unchanged"] == 3


def test_secrets_of_the_pipeline_are_masked(place: Workplace) -> None:
    place.pipeline(f'[sheet.defaults]\npassword = "{CANARY}"')
    shown = place.run("pipeline", "show")
    assert shown.status == 0
    assert CANARY not in shown.out + shown.err
    assert "password" in shown.err  # the literal draws a warning
    assert CANARY not in place.json("pipeline", "show").out


@pytest.mark.parametrize("language", ["en", "de"])
def test_passwords_that_are_words_of_our_messages_garble_none_of_them(language: str, inside: Inside) -> None:
    inside.pipeline('on_error = "skip"')
    words = ["least", "policy", "password", "Zeichen", "enthalten", "address", "characters", "x7Q%x7Q"]
    write_csv(
        inside.folder / "staff.csv", [[f"no address {i}", f"u{i}", "Ana", "", word] for i, word in enumerate(words)]
    )
    found = inside.json("validate", "staff.csv", LANGUAGE=language).document["problems"]
    assert "***" not in str(found)
    assert {one["code"] for one in found} == {"password.policy", "email.invalid"}
    addresses = {one["message"] for one in found if one["code"] == "email.invalid"}
    assert len(addresses) == 1  # also of those whose password is no word of it
