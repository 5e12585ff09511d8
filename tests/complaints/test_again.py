"""Complaints about running an import again, over users who are there, and about taking it back."""

from __future__ import annotations

import sqlite3

from complaints.people import person, sheet
from support.rosters import HEADINGS, write_csv
from support.workplace import Inside


def test_snipe_it_2852_existing_users_are_updated(office: Inside) -> None:
    sheet(office, person("ana", surname="Silva", email="ana@example.com"))
    office.run("run", "staff.csv")
    sheet(office, person("ana", surname="Souza"))
    done = office.json("run", "staff.csv")
    assert done.document["job"]["counts"]["updated"] == 1
    ana = office.users()["ana"]
    assert (ana["surname"], ana["email"]) == ("Souza", "ana@example.com")  # a blank cell wipes nothing


def test_iomad_1531_an_update_leaves_passwords_alone(office: Inside) -> None:
    def stored() -> list[str]:
        with sqlite3.connect(office.directory) as portal:
            found = [str(row) for row in portal.execute("SELECT password_hash FROM users")]
        portal.close()
        return found

    office.pipeline('invites.send_to = "none"', passwords="argon2id")
    sheet(office, person("ana"))
    office.run("run", "staff.csv")
    before = stored()
    changed = person("ana", surname="Souza")
    sheet(office, [*changed[:4], "Another-Kite-42", *changed[5:]])
    assert office.json("run", "staff.csv").document["job"]["counts"]["updated"] == 1
    assert stored() == before
    assert "argon2id" in before[0]


def test_nc_userimporter_26_created_now_invited_later_and_once(office: Inside) -> None:
    office.pipeline('invites.send_to = "new"')
    sheet(office, person("ana", email="ana@example.com"))
    office.run("run", "staff.csv", "--invites", "none")
    again = office.json("run", "staff.csv", "--invites", "none")
    assert again.document["job"]["counts"]["unchanged"] == 1  # neither overwritten nor made twice
    assert office.invites() == []
    for _ in range(2):
        office.run("invites", "send", "--yes")
    assert len(office.invites()) == 1


def test_fusionauth_issues_317_one_existing_user_makes_nobody_vanish(office: Inside) -> None:
    sheet(office, person("bo"))
    office.run("run", "staff.csv")
    sheet(office, person("ana"), person("bo"), person("cy"))
    done = office.json("run", "staff.csv")
    counts = done.document["job"]["counts"]
    assert (counts["rows"], counts["created"], counts["unchanged"]) == (3, 2, 1)
    assert sorted(office.users()) == ["ana", "bo", "cy"]


def test_cipp_55_pressing_again_makes_no_more_of_them(office: Inside) -> None:
    sheet(office, person("ana"), person("bo"), person("cy"))
    office.run("run", "staff.csv", "--rows", "3-4")  # so far it came
    assert office.json("run", "staff.csv").document["job"]["counts"]["created"] == 1
    assert office.json("run", "staff.csv").document["job"]["counts"]["created"] == 0
    assert sorted(office.users()) == ["ana", "bo", "cy"]


def test_fusionauth_issues_2882_a_dry_run_says_everything_and_writes_nothing(office: Inside) -> None:
    sheet(office, person("ana", surname="Silva", groups="Region|North"))
    planned = office.json("plan", "staff.csv")
    (change,) = planned.document["changes"]
    assert change["fields"]["surname"] == {"before": None, "after": "Silva"}
    assert planned.document["groups_to_create"] == [["Region"], ["Region", "North"]]
    assert not office.directory.exists()


def test_churchcrm_8291_a_batch_is_taken_back(office: Inside) -> None:
    sheet(office, person("ana", surname="Silva"))
    office.run("run", "staff.csv")
    sheet(office, person("ana", surname="Wrong"), person("oops"))
    office.run("run", "staff.csv")
    assert office.run("jobs", "undo", "last", "--yes").status == 0
    users = office.users()
    assert users["ana"]["surname"] == "Silva"
    assert not users["oops"]["active"]


def test_snipe_it_5813_the_export_is_an_import(office: Inside) -> None:
    sheet(office, person("ana", surname="Silva", groups=r"Region|North;Sales \; Marketing"), person("0042"))
    office.run("run", "staff.csv")
    office.run("export", "-o", "out.xlsx")
    planned = office.json("plan", "out.xlsx")
    assert (planned.status, planned.document["problems"]) == (0, [])
    assert {change["action"] for change in planned.document["changes"]} == {"unchanged"}


def test_shelf_nu_2892_who_is_not_in_the_file_is_deactivated(office: Inside) -> None:
    office.pipeline('invites.send_to = "none"\nabsent = "deactivate"\nlimits.deactivate = 1')
    sheet(office, person("ana"), person("bo"), person("cy"))
    office.run("run", "staff.csv")
    sheet(office, person("ana"), person("bo"))
    assert office.json("run", "staff.csv").document["job"]["counts"]["deactivated"] == 1
    assert not office.users()["cy"]["active"]
    sheet(office, person("new"))
    assert office.run("run", "staff.csv").status == 3  # the wrong file takes nobody with it


def test_keycloak_config_cli_309_who_was_deleted_by_hand_comes_back(office: Inside) -> None:
    sheet(office, person("ana"), person("bo"))
    office.run("run", "staff.csv")
    office.by_hand("DELETE FROM users WHERE username = 'ana'")
    done = office.json("run", "staff.csv")
    assert (done.document["job"]["counts"]["created"], sorted(office.users())) == (1, ["ana", "bo"])


def test_seed_1646_what_was_corrected_by_hand_is_not_overwritten_by_old_data(office: Inside) -> None:
    office.pipeline('invites.send_to = "none"\nhand_edits.default = "keep"')
    sheet(office, person("ana", surname="Sliva"))
    office.run("run", "staff.csv")
    office.by_hand("UPDATE users SET surname = 'Silva'")
    sheet(office, person("ana", surname="Sliva", email="ana@example.com"))  # the owner has corrected other things
    office.run("run", "staff.csv")
    ana = office.users()["ana"]
    assert (ana["surname"], ana["email"]) == ("Silva", "ana@example.com")


def test_netxms_3550_what_a_change_by_hand_was_is_said_before_it_is_overwritten(office: Inside) -> None:
    office.pipeline('invites.send_to = "none"\nhand_edits.default = "overwrite"')
    sheet(office, person("ana", email="ana@example.com"))
    office.run("run", "staff.csv")
    office.by_hand("UPDATE users SET email = 'admin@example.com'")
    assert "email was changed by hand from ana@example.com to admin@example.com" in office.run("plan", "staff.csv").out
    (change,) = office.json("run", "staff.csv").document["changes"]
    assert change["hand_edit"]


def test_metabase_11886_groups_given_by_hand_stay(office: Inside) -> None:
    office.pipeline('invites.send_to = "none"\nmembership.mode = "replace"\nhand_edits.groups = "keep"')
    sheet(office, person("ana", groups="Staff"), person("bo", groups="Staff;Reports"))
    office.run("run", "staff.csv")
    office.by_hand(
        "INSERT INTO memberships SELECT u.id, g.id FROM users u, groups g "
        "WHERE u.username = 'ana' AND g.name = 'Reports'",
    )
    office.run("run", "staff.csv")
    assert office.users()["ana"]["groups"] == {"Staff", "Reports"}


def test_keycloak_config_cli_264_a_changed_username_is_a_rename(office: Inside) -> None:
    office.pipeline('invites.send_to = "none"\nmatch = ["email", "username"]')
    sheet(office, person("ana", email="ana@example.com"))
    office.run("run", "staff.csv")
    sheet(office, person("ana.silva", email="ana@example.com"))
    assert office.run("run", "staff.csv").status == 0
    assert list(office.users()) == ["ana.silva"]


def test_pipeshub_ai_2912_invites_are_reviewed_before_they_go_out(office: Inside) -> None:
    office.pipeline('invites.send_to = "new"')
    sheet(office, person("ana", email="ana@example.com"), person("bo"))
    planned = office.json("plan", "staff.csv")
    assert [change["invite"]["send"] for change in planned.document["changes"]] == [True, False]
    office.run("run", "staff.csv", "--invites", "none")
    assert office.invites() == []
    considered = office.json("invites", "send", "--dry-run")
    assert {one["username"]: one["reason"] is None for one in considered.document["invites"]}["ana"]
    assert office.invites() == []


def test_snipe_it_6277_a_manager_who_comes_later_in_the_same_file(office: Inside) -> None:
    office.pipeline(
        'invites.send_to = "none"\n[[sheet.fields]]\nname = "manager"\nheading = "Manager"\ntype = "user"\n'
    )
    rows = [[*person("ana"), "cy"], [*person("bo"), "ana"], [*person("cy"), "bo"]]  # and in a ring
    write_csv(office.folder / "staff.csv", rows, headings=[*HEADINGS, "Manager"])
    assert office.json("run", "staff.csv").document["job"]["counts"]["created"] == 3
    assert {name: user["attributes"]["manager"] for name, user in office.users().items()} == {
        "ana": "cy",
        "bo": "ana",
        "cy": "bo",
    }
    assert office.json("run", "staff.csv").document["job"]["counts"]["unchanged"] == 3
