"""Complaints about bad rows: which, why, and what becomes of the good ones."""

from __future__ import annotations

from pathlib import Path

from complaints.people import person, sheet
from support.workplace import Inside

BAD = ["no address", *person("bo")[1:]]


def test_auth0_user_import_export_extension_13_which_users_failed_and_why_is_said(office: Inside) -> None:
    sheet(office, person("ana"), BAD, ["", *person("", phone="1")[1:]])
    done = office.json("run", "staff.csv")
    assert done.status == 1
    assert ("email.invalid", "A4") in done.codes
    assert ("username.required", "B5") in done.codes
    assert all(problem["message"] for problem in done.document["problems"])


def test_dataloader_436_the_file_of_rejected_rows_agrees_with_what_happened(office: Inside) -> None:
    office.pipeline('invites.send_to = "none"\non_error = "skip"')
    sheet(office, person("ana"), BAD, person("cy"))
    job = office.json("run", "staff.csv").document["job"]
    assert (job["counts"]["created"], job["counts"]["rejected"]) == (2, 1)
    text = Path(job["rejected_file"]).read_text(encoding="utf-8-sig")
    assert [name for name in ("ana", "bo", "cy") if f",{name}," in text] == ["bo"]
    assert sorted(office.users()) == ["ana", "cy"]


def test_django_import_export_773_one_bad_row_stops_nobody_who_is_good(office: Inside) -> None:
    sheet(office, person("ana"), BAD)
    assert office.run("run", "staff.csv").status == 1
    assert not office.directory.exists()  # unless that is wanted, it is all or nothing
    assert office.run("run", "staff.csv", "--set", "on_error=skip").status == 1
    assert list(office.users()) == ["ana"]


def test_kolibri_11890_peter_and_PETER_are_one(office: Inside) -> None:  # noqa: N802 -- the point of it
    sheet(office, person("peter"))
    office.run("run", "staff.csv")
    sheet(office, person("PETER"))
    assert office.json("run", "staff.csv").document["job"]["counts"]["unchanged"] == 1
    sheet(office, person("peter"), person("PETER"))
    assert office.json("run", "staff.csv").codes == [("username.duplicate", "B4")]
    assert list(office.users()) == ["peter"]


def test_expertiza_2919_characters_that_nobody_sees_make_no_second_user(office: Inside) -> None:
    sheet(office, person("ana"))
    office.run("run", "staff.csv")
    sheet(office, person("a\u200bna"))
    done = office.json("run", "staff.csv")
    assert ("username.control_characters", "B3") in done.codes
    assert list(office.users()) == ["ana"]


def test_budibase_16209_no_group_is_made_beside_an_equal_one(office: Inside) -> None:
    sheet(office, person("ana", groups="Region|North"))
    office.run("run", "staff.csv")
    sheet(office, person("ana", groups="REGION|north"), person("bo", groups="region|North;New"))
    assert office.json("plan", "staff.csv").document["groups_to_create"] == [["New"]]


def test_discourse_7379_groups_of_existing_users_are_not_ignored_and_not_wiped(office: Inside) -> None:
    sheet(office, person("ana", groups="Staff"))
    office.run("run", "staff.csv")
    sheet(office, person("ana", groups="Choir"))
    office.run("run", "staff.csv")
    assert office.users()["ana"]["groups"] == {"Staff", "Choir"}


def test_librebooking_377_commas_between_groups(office: Inside) -> None:
    office.pipeline(
        'invites.send_to = "none"\n[[groups]]\nname = "groups-column"\nuse = "paths"\noptions = { separator = "," }'
    )
    sheet(office, person("ana", groups="Staff, Choir"))
    office.run("run", "staff.csv")
    assert office.users()["ana"]["groups"] == {"Staff", "Choir"}


def test_phony_rails_57_numbers_are_one_number_or_an_error(office: Inside) -> None:
    numbers = ["(0)7712 345678", "7712 345678 ext. 9", "0044 7712 345678"]
    bad = [person(f"user{n}", code="44", phone=text) for n, text in enumerate(numbers)]
    sheet(office, *bad, person("ana", code="44", phone="7712345678"))
    checked = office.json("validate", "staff.csv")
    codes = ["phone.invalid", "phone.invalid", "phone.includes_calling_code"]
    assert checked.codes == list(zip(codes, ("G3", "G4", "G5"), strict=True))
    assert [problem["value"] for problem in checked.document["problems"]] == numbers
    assert office.run("run", "staff.csv", "--set", 'on_error="skip"').status == 1
    (ana,) = office.users().values()
    assert (ana["forename"], ana["calling_code"], ana["phone"]) == ("Ana", "44", "7712345678")
