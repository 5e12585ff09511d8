"""A person who is forgotten: not a byte of them is left, and everybody else is."""

from __future__ import annotations

import sqlite3
import zlib
from pathlib import Path

import pytest

from musterroll.errors import NotifierError, StateError
from musterroll.journal.journal import Journal
from musterroll_plugins.notifiers.outbox import Outbox
from support.rosters import write_csv
from support.workplace import Inside

ANA = [
    "ana.secret@example.com",
    "anaconda",
    "Anastasia",
    "Silvestre",
    "Meadow-Kite-41",
    "44",
    "7712345678",
    "Region|North",
]
BO = ["bo@example.com", "bo", "Bo", "Berg", "Meadow-Kite-42", "", "", "Region|North"]
CY = ["cy@example.com", "cy", "Cy", "", "Meadow-Kite-43", "", "", ""]
TRACES = [b"anaconda", b"ana.secret", b"Anastasia", b"Silvestre", b"7712345678"]


def kept(place: Inside) -> dict[str, bytes]:
    """What is kept: all files but the sheets, the pipeline and the portal."""
    folder = place.folder
    files = [*folder.glob(".musterroll/*"), *folder.glob("outbox/*"), *folder.glob("*.rejected*")]
    found = {str(file.relative_to(folder)): file.read_bytes() for file in files}
    with sqlite3.connect(folder / ".musterroll" / "test.journal") as journal:
        packs = journal.execute("SELECT packed FROM unchanged").fetchall()
    journal.close()
    return {**found, "packs": b"".join(zlib.decompress(pack) for (pack,) in packs)}


def traces(place: Inside) -> list[tuple[str, bytes]]:
    return [(name, trace) for name, data in kept(place).items() for trace in TRACES if trace in data]


@pytest.fixture
def office(inside: Inside) -> Inside:
    inside.pipeline('on_error = "skip"')
    write_csv(inside.folder / "first.csv", [ANA, BO, CY])
    assert inside.run("run", "first.csv").status == 0
    write_csv(inside.folder / "second.csv", [[*ANA[:3], "Silvestre-Souza", *ANA[4:]], BO, CY])
    assert inside.run("run", "second.csv").status == 0
    assert inside.run("run", "second.csv").status == 0  # unchanged: packed
    bad = [*ANA[:5], "999", *ANA[6:]]
    write_csv(inside.folder / "third.csv", [bad, BO, [*CY[:5], "999", "", ""]])
    assert inside.run("run", "third.csv").status == 1
    return inside


def test_not_a_byte_is_left(office: Inside) -> None:
    assert {trace for _, trace in traces(office)} == set(TRACES)
    done = office.json("forget", "ANACONDA", "--yes")
    assert done.status == 0, done.err
    assert done.document["forgotten"]["messages"] == 1
    assert [Path(file).name for file in done.document["forgotten"]["files"]] == ["third.rejected.csv"]
    assert traces(office) == []
    assert "anaconda" in office.users()  # the portal is somebody else's
    again = office.json("forget", "anaconda", "--yes")
    assert (again.status, again.document["error"]["code"]) == (2, "forget.nothing")


def test_everybody_else_and_the_counts_stay(office: Inside) -> None:
    before = [job["counts"] for job in office.json("jobs", "list").document["jobs"]]
    office.run("forget", "anaconda", "--yes")
    assert [job["counts"] for job in office.json("jobs", "list").document["jobs"]] == before
    shown = office.json("jobs", "show", "last").document
    assert {problem["row"]: problem["message"] for problem in shown["problems"]}[3] == "(forgotten)"
    assert b"cy@example.com" in (office.folder / "third.rejected.csv").read_bytes()
    assert len(office.invites()) == 2
    invited = {one["username"] for one in office.json("invites", "list").document["invites"]}
    assert invited == {"bo", "cy"}
    first = office.json("jobs", "list").document["jobs"][-1]["id"]
    rows = {change["username"] for change in office.json("jobs", "show", first).document["changes"]}
    assert rows == {"(forgotten)", "bo", "cy"}


def test_what_is_left_of_the_rejected_rows_can_be_run(office: Inside) -> None:
    office.run("forget", "anaconda", "--yes")
    checked = office.json("validate", "third.rejected.csv")
    assert checked.document["counts"]["rows"] == 1
    assert {problem["row"] for problem in checked.document["problems"]} == {4}


def test_who_was_chosen_by_name_is_forgotten_too(inside: Inside) -> None:
    write_csv(inside.folder / "first.csv", [ANA, BO])
    assert inside.run("run", "first.csv", "--only", "anaconda", "--only", "bo").status == 0
    assert traces(inside) != []
    inside.run("forget", "anaconda", "--yes")
    assert traces(inside) == []
    assert b'"bo"' in kept(inside)[".musterroll/test.journal"]  # who was chosen as well


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_reasons_of_a_file_say_it_whoever_reads_them(language: str, office: Inside) -> None:
    office.run("forget", "anaconda", "--yes", LANGUAGE=language)
    text = (office.folder / "third.rejected.csv").read_text(encoding="utf-8-sig")
    assert "(forgotten)" in text.splitlines()[2]


def test_what_is_said_of_others_no_longer_names_the_forgotten(office: Inside) -> None:
    write_csv(office.folder / "fourth.csv", [BO, [ANA[0], "dee", "Dee", "", "Meadow-Kite-44", "", "", ""]])
    taken = office.json("run", "fourth.csv", "--set", "backend.options.unique_email=true")
    assert taken.codes == [("email.taken", "A4")]
    office.run("forget", "anaconda", "--yes")
    (problem,) = office.json("jobs", "show", "last").document["problems"]
    assert (problem["code"], problem["message"]) == ("email.taken", "(forgotten)")
    assert traces(office) == []


def test_an_undo_leaves_the_forgotten_alone(office: Inside) -> None:
    office.run("forget", "anaconda", "--yes")
    first = office.json("jobs", "list").document["jobs"][-1]["id"]
    office.run("jobs", "undo", first, "--yes")
    users = office.users()
    assert users["anaconda"]["active"]
    assert not users["cy"]["active"]


def test_a_sheet_makes_everybody_known_again(office: Inside) -> None:
    office.run("forget", "anaconda", "--yes")
    again = office.json("run", "second.csv")
    assert (again.status, again.document["job"]["counts"]["unchanged"]) == (0, 3)


def test_where_something_cannot_be_taken_away_the_journal_knows_the_person_still(
    office: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(outbox: object, jobs: object) -> None:
        raise NotifierError("the folder cannot be written to")

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "forget", stuck)
        assert office.run("forget", "anaconda", "--yes").status != 0
    assert office.run("forget", "anaconda", "--yes").status == 0
    assert traces(office) == []


def test_a_file_that_could_not_be_written_anew_is_so_the_next_time(
    office: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(journal: Journal) -> None:
        raise StateError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "shrink", full)
        stopped = office.run("forget", "anaconda", "--yes")
    assert stopped.status == 2
    assert "once more" in stopped.err
    assert office.json("forget", "anaconda", "--yes").document["error"]["code"] == "forget.nothing"
    assert traces(office) == []


def test_a_job_that_was_cut_off_goes_on_without_the_forgotten(office: Inside) -> None:
    write_csv(
        office.folder / "fourth.csv",
        [[*ANA[:3], "Neu", *ANA[4:]], ["", "dee", "Dee", "", "Meadow-Kite-44", "", "", "New"]],
    )
    job = office.json("run", "fourth.csv").document["job"]["id"]
    with sqlite3.connect(office.folder / ".musterroll" / "test.journal") as journal:
        journal.execute("UPDATE job SET state = 'interrupted', outcome = NULL WHERE id = ?", (job,))
        journal.execute("UPDATE operation SET state = 'planned', ref = NULL WHERE job = ?", (job,))
    journal.close()
    with sqlite3.connect(office.directory) as portal:
        portal.execute("DELETE FROM memberships")
        portal.execute("DELETE FROM users WHERE username = 'dee'")
        portal.execute("UPDATE users SET surname = 'Alt' WHERE username = 'anaconda'")
    portal.close()
    office.run("forget", "anaconda", "--yes")
    done = office.json("jobs", "resume", job)
    assert done.status == 0, done.out
    assert office.users()["anaconda"]["surname"] == "Alt"
    assert office.users()["dee"]["groups"] == {"New"}
    assert traces(office) == []


def moved(office: Inside) -> Inside:
    """The folder with all that is in it, in another place."""
    target = office.folder.parent / f"{office.folder.name}-moved" / "office"
    target.parent.mkdir()
    office.folder.rename(target)
    return office.at(target)


def test_a_folder_that_was_moved_keeps_nothing_of_the_forgotten(office: Inside) -> None:
    place = moved(office)
    done = place.json("forget", "anaconda", "--yes")
    assert done.document["forgotten"]["files"] == [str(place.folder / "third.rejected.csv")]
    assert (done.document["forgotten"]["not_found"], done.document["forgotten"]["left"]) == ([], [])
    assert traces(place) == []
    again = place.json("forget", "cy", "--yes")  # it is known by now where the file is
    assert again.document["forgotten"]["files"] == [str(place.folder / "third.rejected.csv")]


def test_rejected_rows_in_a_folder_beside_the_moved_one_are_found(office: Inside) -> None:
    lists = office.folder / "lists"
    lists.mkdir()
    (office.folder / "third.csv").rename(lists / "fifth.csv")
    assert office.run("run", "lists/fifth.csv", "--set", "state=journals").status == 1
    (lists / "fifth.csv").unlink()
    place = moved(office)
    done = place.json("forget", "anaconda", "--yes", "--set", "state=journals")
    assert done.document["forgotten"]["files"] == [str(place.folder / "lists" / "fifth.rejected.csv")]


def test_what_was_changed_in_a_moved_folder_is_left_and_said(office: Inside) -> None:
    place = moved(office)
    file = place.folder / "third.rejected.csv"
    before = file.read_bytes() + b"\r\n"
    file.write_bytes(before)
    done = place.run("forget", "anaconda", "--yes")
    assert f"Look at this: {file}: it may name the person" in done.out
    assert file.read_bytes() == before


def test_a_stranger_of_the_same_name_is_neither_changed_nor_spoken_of(office: Inside) -> None:
    place = moved(office)
    file = place.folder / "third.rejected.csv"
    ours = file.rename(place.folder.parent / file.name)  # one level up, where it is still recognised
    write_csv(file, [BO])
    before = file.read_bytes()
    done = place.json("forget", "anaconda", "--yes").document["forgotten"]
    assert (done["files"], done["not_found"], done["left"]) == ([str(ours)], [], [])
    assert file.read_bytes() == before


def test_rejected_rows_that_are_not_found_are_said(office: Inside) -> None:
    file = office.folder / "third.rejected.csv"
    file.rename(office.folder / "corrected.csv")
    done = office.run("forget", "anaconda", "--yes")
    assert f"Look at this: {file}: these rejected rows may name the person" in done.out
    assert office.json("forget", "bo", "--yes").document["forgotten"]["not_found"] == []  # whom no sheet has rejected


def test_of_rejected_rows_without_a_username_nobody_knows_whose_they_are(office: Inside) -> None:
    write_csv(office.folder / "sixth.csv", [["bo@example.com", "", *BO[2:]]])
    assert office.run("run", "sixth.csv").status == 1
    (office.folder / "sixth.rejected.csv").unlink()
    (gone,) = office.json("forget", "bo", "--yes").document["forgotten"]["not_found"]
    assert gone == str(office.folder / "sixth.rejected.csv")


def test_older_journals_go(office: Inside) -> None:
    backup = office.folder / ".musterroll" / "test.journal.v3.bak"
    backup.write_bytes(b"anaconda")
    done = office.json("forget", "anaconda", "--yes")
    assert done.document["forgotten"]["backups"] == [str(backup)]
    assert not backup.exists()


def test_nobody_is_forgotten_where_nothing_is_kept(inside: Inside) -> None:
    done = inside.json("forget", "ana")
    assert (done.status, done.document["error"]["code"]) == (2, "forget.nothing")


@pytest.mark.parametrize("name", ["", "  ", "\u200b", "(forgotten)"])
def test_no_name_is_nobodys(name: str, office: Inside) -> None:
    write_csv(office.folder / "seventh.csv", [["bo@example.com", "", *BO[2:]]])
    assert office.run("run", "seventh.csv").status == 1
    office.run("forget", "anaconda", "--yes")
    before = kept(office)
    done = office.json("forget", name, "--yes")
    assert (done.status, done.document["error"]["code"]) == (2, "forget.nothing")
    assert kept(office)["seventh.rejected.csv"] == before["seventh.rejected.csv"]
