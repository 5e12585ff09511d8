"""Complaints about usernames and first passwords that a person has to invent."""

from __future__ import annotations

import csv

from support.workplace import Inside

LAID_OUT = """
password.required = "never"
[sheet]
first_row = 2
"""


def usernames(office: Inside) -> dict[str, str]:
    return {user["email"]: name for name, user in office.users().items()}


def test_openslides_client_1103_usernames_are_made(office: Inside) -> None:
    """An empty cell makes one, and whoever has another address is another person."""
    office.pipeline(f"""match = ["email", "username"]{LAID_OUT}
        omit = ["password", "calling_code", "phone", "groups"]
        make.username = {{ from = ["{{forename}}{{surname}}", "{{base}}{{n}}"] }}""")
    head = "Username,Forename,Surname,Email\n"
    office.write("may.csv", f"{head},Max,Mustermann,max@example.com\nchair,Eva,Muster,eva@example.com\n")
    office.write("june.csv", f"{head},Max,Mustermann,other@example.com\n,Max,Mustermann,max@example.com\n")
    for sheet in ("may.csv", "june.csv"):
        assert office.run("run", sheet, "--invites", "none").status == 0
    assert usernames(office) == {
        "max@example.com": "MaxMustermann",
        "eva@example.com": "chair",
        "other@example.com": "MaxMustermann2",
    }


def test_nc_userimporter_60_usernames_are_made_of_the_name_that_is_shown(office: Inside) -> None:
    office.pipeline(f"""match = ["email", "username"]{LAID_OUT}
        omit = ["forename", "surname", "password", "calling_code", "phone", "groups"]
        make.username = {{ from = ["{{forename|ascii|lower}}_{{surname|ascii|letters|lower}}", "{{base}}{{n}}"] }}
        [[sheet.fields]]
        name = "shown"
        heading = "Display name"
        [[transforms]]
        name = "shown"
        use = "split"
        options = {{ field = "shown", pattern = '(?P<forename>\\S+) (?P<surname>.+)' }}""")
    office.write("staff.csv", "Display name,Email\nChloé de la Tour,chloe@example.com\nJörg Groß,joerg@example.com\n")
    assert office.run("run", "staff.csv", "--invites", "none").status == 0
    assert usernames(office) == {"chloe@example.com": "chloe_delatour", "joerg@example.com": "joerg_gross"}


def test_daloradius_706_passwords_for_a_list_of_usernames(office: Inside) -> None:
    office.pipeline(
        """invites.send_to = "none"
        [sheet]
        first_row = 2
        omit = ["email", "forename", "surname", "password", "calling_code", "phone", "groups"]
        make.password = { generate = 16 }""",
        passwords="argon2id",
    )
    office.write("users.csv", "Username\nana\nbo\n")
    assert office.run("run", "users.csv", "--hand-over", "told.csv").status == 0
    with (office.folder / "told.csv").open(encoding="utf-8-sig", newline="") as lines:
        told = {row["Username"]: row["Password"] for row in csv.DictReader(lines)}
    assert {name: len(password) for name, password in told.items()} == {"ana": 16, "bo": 16}
    assert office.run("run", "users.csv", "--hand-over", "again.csv").status == 0
    assert not (office.folder / "again.csv").exists()  # told once
