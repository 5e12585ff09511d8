"""The way of a sheet through the pages, as a browser without a script goes it."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import polib
import pytest

from support.scripts import ROOT
from support.slips import PUPILS, makes_passwords, told_by
from support.web_server import (
    DOUBTFUL,
    MISTAKES,
    POST_IN_DOUBT,
    SHEET,
    Visitor,
    WebServer,
    job_of,
    two_worksheets,
    upload_path,
    web_server,
    words_of,
)
from support.workplace import Workplace


def test_from_the_first_page_to_the_result(visitor: Visitor, place: Workplace) -> None:
    assert "There are no jobs yet" in words_of(visitor.get(""))
    instructions = words_of(visitor.get("/new"))
    assert "Calling Code" in instructions
    assert "up to 1 MB" in instructions
    assert "At least 8 characters" in instructions  # what the rules ask
    assert "{rules}" not in instructions
    answers = visitor.upload(SHEET)
    text = words_of(answers)
    assert "Check your answers" in text
    assert "Created 2 Changed 0" in text
    for choice in ("Nobody – 0 invites", "New users – 2 invites, as usual", "Everybody in the sheet – 2 invites"):
        assert choice in text
    assert "Region|North" in text
    assert not place.directory.exists()  # nothing has been written yet
    job = visitor.wait(visitor.post(upload_path(answers) + "/run", invites="new"))
    text = words_of(job)
    assert "Completed" in text
    assert "Created 2" in text
    assert "Invites sent 2" in text
    assert set(place.users()) == {"ana", "bo"}
    jobs = words_of(visitor.get(""))
    assert "staff.csv" in jobs
    assert "Not imported yet" not in jobs


def test_a_column_of_orders_is_explained_as_in_the_blank_sheet(visitor: Visitor, place: Workplace) -> None:
    field = (
        'name = "what"\nheading = "What"\nrole = "command"\nguidance = "For this row. {rules}"\nchoices = ["ignore"]\n'
    )
    place.pipeline(f"[[sheet.fields]]\n{field}", name=place.folder.name)
    (told,) = re.findall(r"For this row[^<]*", visitor.get("/new").text)
    assert "One of: " in told


def test_what_is_refused_since_too_much_waits_leaves_nothing(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("musterroll_plugins.web.desk._MOST", 0)
    for _ in range(2):
        page = visitor.upload(SHEET)
        assert page.status_code == 503
        assert "too much waits here already" in words_of(page)
    assert "staff.csv" not in words_of(visitor.get(""))


def test_a_sheet_with_mistakes_says_which_by_cause_and_writes_nothing(visitor: Visitor, place: Workplace) -> None:
    page = visitor.upload(MISTAKES)
    text = words_of(page)
    assert "3 errors in staff.csv" in text
    assert "Nothing was imported" in text
    for cell in ("A5", "H5", "B6"):
        assert cell in text
    assert "Harbour-Gate" not in page.text
    assert "Import" not in [button.strip() for button in re.findall(r"<button[^>]*>([^<]+)", page.text)]
    refused = visitor.post(upload_path(page) + "/run", invites="new")
    assert refused.status_code == 409
    assert not place.directory.exists()


def test_only_errors_and_one_cause(visitor: Visitor) -> None:
    page = visitor.upload(SHEET.replace("7712345678", "07712345678") + "broken,cy,Cy,Clark,Harbour-Gate-55,,,\n")
    base = upload_path(page)
    assert "dialled inside the country" in words_of(visitor.get(base + "/problems"))
    assert "dialled inside the country" not in words_of(visitor.get(base + "/problems?severity=error"))
    one = words_of(visitor.get(base + "/problems?severity=error&code=email.invalid&field=email"))
    assert "A5" in one
    assert "G3" not in one


def test_rows_that_are_left_out_can_be_downloaded(visitor: Visitor, place: Workplace) -> None:
    place.pipeline('on_error = "skip"', name=visitor.name)
    page = visitor.upload(MISTAKES)
    answers = visitor.get(upload_path(page) + "/answers")
    assert "Left out 2" in words_of(answers)
    job = visitor.wait(visitor.post(upload_path(page) + "/run", invites="none"))
    assert "Completed with errors" in words_of(job)
    file = visitor.get(f"/jobs/{job_of(job)}/rejected")
    assert file.headers["content-disposition"] == f'attachment; filename="{visitor.name}-left-out.csv"'
    assert "cy" in file.text
    assert "ana" not in file.text


def test_columns_that_are_called_otherwise_are_asked_for_and_remembered(visitor: Visitor, place: Workplace) -> None:
    sheet = SHEET.replace("Username", "Kennung").replace("Forename", "Vorname")
    page = visitor.upload(sheet)
    assert "Which column is what?" in words_of(page)
    fields = ("email", "", "forename", "surname", "password", "calling_code", "phone", "groups")
    chosen = {f"column-{i}": name for i, name in enumerate(fields)}
    missing = visitor.send(upload_path(page) + "/columns", chosen)
    assert missing.status_code == 422
    assert "<title>Error: " in missing.text
    assert "no column is Username, which every sheet needs" in words_of(missing)
    assert '<option value="forename" selected>' in missing.text  # what was said stays
    twice = visitor.send(upload_path(page) + "/columns", {**chosen, "column-1": "forename"})
    assert "Forename is chosen twice" in words_of(twice)
    answers = visitor.wait(
        visitor.send(upload_path(page) + "/columns", {**chosen, "column-1": "username", "remember": "yes"})
    )
    assert "Created 2" in words_of(answers)
    assert "Kennung" in (place.folder / "musterroll.toml").read_text("utf-8")
    assert "Created 2" in words_of(visitor.upload(sheet))  # the next one is not asked about


def test_of_several_worksheets_the_one_is_taken_that_is_chosen(visitor: Visitor) -> None:
    page = visitor.upload(two_worksheets(), "staff.xlsx")
    assert "staff.xlsx has several worksheets. Say which one holds the users" in words_of(page)
    assert "<option selected>Sheet</option><option>Others</option>" in page.text
    path = upload_path(page)
    assert visitor.post(f"{path}/worksheet", worksheet="Nobody's").status_code == 422
    answers = visitor.wait(visitor.post(f"{path}/worksheet", worksheet="Others"))
    assert "Check your answers" in words_of(answers)
    assert "olga" in words_of(answers)
    assert "ana" not in words_of(answers).replace("ana@", "").split()


def test_columns_for_this_time_go_with_the_job(visitor: Visitor, place: Workplace) -> None:
    before = (place.folder / "musterroll.toml").read_text("utf-8")
    page = visitor.upload(SHEET.replace("Username", "Kennung"))
    fields = ("email", "username", "forename", "surname", "password", "calling_code", "phone", "groups")
    chosen = {f"column-{i}": name for i, name in enumerate(fields)}
    answers = visitor.wait(visitor.send(upload_path(page) + "/columns", chosen))
    job = visitor.wait(visitor.post(upload_path(answers) + "/run", invites="none"))
    assert set(place.users()) == {"ana", "bo"}
    assert (place.folder / "musterroll.toml").read_text("utf-8") == before
    story = visitor.wait(visitor.get(f"/jobs/{job_of(job)}/rows/3"))  # reads the sheet again, with those columns
    assert "ana@example.com" in words_of(story)


def test_a_corrected_sheet_takes_the_place_of_the_one_before(visitor: Visitor, server: WebServer) -> None:
    columns = MISTAKES.replace("Username", "Kennung")
    page = visitor.upload(columns)
    fields = ("email", "username", "forename", "surname", "password", "calling_code", "phone", "groups")
    chosen = {f"column-{i}": name for i, name in enumerate(fields)}
    page = visitor.wait(visitor.send(upload_path(page) + "/columns", chosen))
    assert "3 errors in staff.csv" in words_of(page)
    (after,) = re.findall(r'/new\?after=([0-9a-f]+)"', page.text)
    assert "It takes the place of staff.csv" in words_of(visitor.get(f"/new?after={after}"))
    answers = visitor.upload(SHEET.replace("Username", "Kennung"), "better.csv", after=after)
    assert "Created 2" in words_of(answers)  # it is not asked again which column is what
    assert "better.csv" in words_of(visitor.get(""))
    assert "staff.csv" not in words_of(visitor.get(""))
    assert not (server.state / "uploads" / after).exists()
    visitor.wait(visitor.post(upload_path(answers) + "/run", invites="none"))
    kept = upload_path(answers).rpartition("/")[2]
    assert visitor.upload(SHEET, after=kept).status_code == 200
    assert (server.state / "uploads" / kept).exists()  # a job has it
    assert visitor.upload(SHEET, after="../x").status_code == 200


def test_the_plan_that_was_shown_is_the_one_that_is_carried_out(visitor: Visitor, place: Workplace) -> None:
    answers = visitor.upload(SHEET)
    other = place.write("other.csv", SHEET.replace("Ana,Silva", "Anna,Silva"))
    assert place.run("run", other, "--yes", "--invites", "none").status == 0
    stopped = visitor.wait(visitor.post(upload_path(answers) + "/run", invites="new"))
    assert "what would happen has changed since it was shown" in words_of(stopped)
    assert place.users()["ana"]["forename"] == "Anna"
    again = visitor.wait(visitor.post(upload_path(answers) + "/check"))
    assert "Anna → becomes Ana" in words_of(again)
    job = visitor.wait(visitor.post(upload_path(answers) + "/run", invites="none"))
    assert "Completed" in words_of(job)
    assert place.users()["ana"]["forename"] == "Ana"


def test_what_somebody_has_changed_by_hand_is_shown(visitor: Visitor, place: Workplace) -> None:
    place.pipeline('[hand_edits]\nsurname = "keep"\n', name=place.folder.name)
    visitor.import_(SHEET, invites="none")
    place.by_hand("UPDATE users SET surname = 'Souza', forename = 'Anna' WHERE username = 'ana'")
    answers = visitor.upload(SHEET)
    asked = words_of(answers)
    assert "Changed in the portal by hand: 1 kept, 1 overwritten" in asked
    assert "by hand Surname stays Souza: changed by hand, was Silva" in asked
    job = visitor.wait(visitor.post(upload_path(answers) + "/run", invites="none"))
    told = "Surname stays Souza: changed by hand, was Silva"
    assert told in words_of(visitor.get(f"/jobs/{job_of(job)}?part=rows"))
    assert told.replace("S", "s", 1) in words_of(visitor.wait(visitor.get(f"/jobs/{job_of(job)}/rows/3")))


def test_a_job_is_taken_back(visitor: Visitor, place: Workplace) -> None:
    job = visitor.import_(SHEET, invites="none")
    asked = visitor.get(f"/jobs/{job_of(job)}/undo")
    assert "Take this job back?" in words_of(asked)
    undone = visitor.wait(visitor.post(f"/jobs/{job_of(job)}/undo"))
    assert "Undo" in words_of(undone)
    assert [user["active"] for user in place.users().values()] == [0, 0]
    assert "Undone" in words_of(visitor.wait(visitor.get(f"/jobs/{job_of(job)}")))


def test_the_story_of_a_row_never_shows_a_password(visitor: Visitor) -> None:
    job = visitor.import_(SHEET)
    story = visitor.wait(visitor.get(f"/jobs/{job_of(job)}/rows/3"))
    text = words_of(story)
    assert "Row 3: ana" in text
    assert "create the user: done" in text
    assert "(never shown)" in text
    assert "Sesame" not in story.text
    missing = visitor.wait(visitor.get(f"/jobs/{job_of(job)}/rows/99"))
    assert "the sheet ends before row 99" in words_of(missing)


def test_who_comes_again_to_where_an_upload_was_sent_finds_the_form(visitor: Visitor) -> None:
    refused = visitor.post("/uploads", files={"sheet": ("staff.csv", b"x" * 3 * 1024 * 1024)})
    assert refused.status_code == 413
    assert "the file is larger than 1 MB" in words_of(refused)
    assert visitor.client.get(refused.url).url.path == f"{visitor.home}/new"


def test_the_story_of_a_row_says_what_was_done_in_the_persons_language(visitor: Visitor, place: Workplace) -> None:
    place.pipeline('language = "de"', name=visitor.name)
    job = visitor.import_(SHEET)
    text = words_of(visitor.wait(visitor.get(f"/jobs/{job_of(job)}/rows/3")))
    assert "zu Region|North hinzufügen: erledigt" in text
    assert "add to" not in text


def test_a_form_from_before_a_later_sign_in_says_that_its_page_is_out_of_date(visitor: Visitor) -> None:
    stale = visitor.client.post(f"{visitor.home}/uploads", data={"csrf": "former"}, files={"sheet": ("a.csv", SHEET)})
    assert stale.status_code == 403
    text = words_of(stale)
    assert "This page is out of date" in text
    assert "You may not do that" not in text


def test_rows_are_found_by_name_number_and_outcome(visitor: Visitor) -> None:
    visitor.import_(SHEET)
    job = visitor.import_(SHEET.replace("Bo,Berg", "Bob,Berg"), invites="none")
    path = f"/jobs/{job_of(job)}?part=rows"
    assert "Bo → becomes Bob" in words_of(visitor.get(path))
    for query, shown, hidden in (("q=an", "ana", ">bo<"), ("q=4", "bo", ">ana<"), ("outcome=update", "bo", ">ana<")):
        found = visitor.get(f"{path}&{query}").text
        assert f">{shown}<" in found
        assert hidden not in found
    assert "There is nothing" in words_of(visitor.get(f"{path}&q=%25"))  # no pattern


def test_a_file_that_is_no_sheet_says_so_and_can_be_discarded(visitor: Visitor, server: WebServer) -> None:
    page = visitor.upload(b"PK\x03\x04 nothing of the kind", "staff.xlsx")
    assert "could not be checked staff.xlsx seems to be" in words_of(page)  # by its name, not by where it is here
    folder = server.state / upload_path(page)[1:]
    assert folder.is_dir()
    assert "staff.xlsx" not in words_of(visitor.post(upload_path(page) + "/discard"))
    assert not folder.exists()
    nothing = visitor.post("/uploads", files={"sheet": ("", b"")})
    assert nothing.status_code == 422
    assert "choose a sheet to upload" in words_of(nothing)
    assert "<title>Error: " in nothing.text
    assert visitor.post("/uploads", files={"sheet": ("a.csv", b"")}).status_code == 422


@pytest.mark.parametrize("form", ["xlsx", "ods", "csv"])
def test_the_blank_sheet_goes_all_the_way(form: str, visitor: Visitor) -> None:
    blank = visitor.get(f"/blank/{form}")
    assert blank.headers["content-disposition"] == f'attachment; filename="{visitor.name}.{form}"'
    assert "There are no users" in words_of(visitor.upload(blank.content, f"blank.{form}"))


def test_what_is_stored_is_for_its_owner_only(visitor: Visitor, server: WebServer) -> None:
    visitor.import_(SHEET)
    found = [path for path in server.state.rglob("*") if not path.is_symlink()]
    assert len(found) > 8
    for path in found:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_no_password_is_kept_outside_the_sheet(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    place.pipeline()
    with web_server(place) as server:  # where nobody has asked for a copy with passwords
        visitor = server.enter()
        visitor.import_(SHEET)
        visitor.upload(MISTAKES)
        found = [one for one in server.state.rglob("*") if one.is_file() and not one.name.startswith("sheet")]
        assert len(found) > 8
        for path in found:
            assert b"Sesame-open-7" not in path.read_bytes(), path
            assert b"Harbour-Gate-55" not in path.read_bytes(), path


def test_a_first_password_is_on_its_slip_and_nowhere_else(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    makes_passwords(place)
    with web_server(place) as server:
        visitor = server.enter()
        job = job_of(visitor.import_(PUPILS, invites="new"))
        visitor.wait(visitor.post(f"/jobs/{job}/reports/html"))
        visitor.wait(visitor.get(f"/jobs/{job}/rows/3"))
        (slips,) = server.state.rglob("first-passwords/*")
        told = told_by(slips.read_bytes())
        assert len(told) == 2
        assert visitor.post(f"/jobs/{job}/passwords/{slips.stem}/delete").status_code == 200
    found = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert len(found) > 12
    for path in found:
        assert not any(password.encode() in path.read_bytes() for password in told.values()), path


def test_nobody_is_asked_about_passwords_that_no_sheet_has(visitor: Visitor, place: Workplace) -> None:
    asks = 'name="passwords"'
    assert asks in visitor.upload(MISTAKES).text
    place.pipeline('sheet.omit = ["password"]', name=place.folder.name)
    page = visitor.upload("Email,Username,Forename,Surname,Calling Code,Phone,Groups\nguidance\n,,Ana\n")
    assert "Make an annotated copy" in page.text
    assert asks not in page.text


def test_a_job_of_the_command_line_is_among_the_jobs(visitor: Visitor, place: Workplace) -> None:
    sheet = place.write("june.csv", SHEET)
    assert place.run("run", sheet, "--yes").status == 0
    text = words_of(visitor.get(""))
    assert "june.csv command line" in text
    (job,) = place.json("jobs", "list").document["jobs"]
    page = visitor.wait(visitor.get(f"/jobs/{job['id']}"))
    assert "Created 2" in words_of(page)
    assert visitor.get(f"/jobs/{job['id']}/rejected").status_code == 404


def test_held_invites_are_released(visitor: Visitor, place: Workplace) -> None:
    place.write("doubtful.py", DOUBTFUL)
    place.pipeline(POST_IN_DOUBT, name=visitor.name)
    job = visitor.import_(SHEET)
    text = words_of(job)
    assert "Invites held 2" in text
    assert "the connection was cut" in text
    asked = words_of(visitor.get(f"/jobs/{job_of(job)}/release"))
    assert "It is not known whether 2 messages have arrived" in asked
    again = visitor.wait(visitor.post(f"/jobs/{job_of(job)}/release"))
    assert "Invites held 2" in words_of(again)  # it is no surer than before
    arrived = visitor.wait(visitor.post(f"/jobs/{job_of(job)}/release", as_sent="yes"))
    assert "Invites sent 2" in words_of(arrived)
    assert "Invites held" not in words_of(arrived)


def test_where_it_goes_is_chosen_and_said_on_every_page(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    profile = 'backend = { use = "directory", options = { path = "live.db", passwords = "none" } }'
    place.pipeline(f'[profiles.production]\n{profile}\n[profiles.test]\nbackend = {{ use = "memory" }}')
    with web_server(place) as server:
        visitor = server.enter()
        new = words_of(visitor.get("/new"))
        assert "production (directory) – this is production" in new
        assert "test (memory)" in new
        rehearsal = visitor.upload(SHEET, profile="test")
        assert "Rehearsal : test (memory)" in words_of(rehearsal)
        live = visitor.upload(SHEET, profile="production")
        assert "Production : production (directory)" in words_of(live)
        again = visitor.get(f"/new?after={upload_path(live).rpartition('/')[2]}")
        assert 'value="production" checked' in again.text  # where the corrected sheet goes is where this one went
        assert "Import 2 rows into production" in words_of(live)
        job = visitor.wait(visitor.post(upload_path(live) + "/run", invites="none"))
        assert "Production : production (directory)" in words_of(job)
        assert (tmp_path / "live.db").exists()
        assert not place.directory.exists()
        assert visitor.post("/uploads", {"sheet": ("a.csv", SHEET)}, profile="nowhere").status_code == 422


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_job_that_a_limit_stopped_says_so_without_a_command(
    visitor: Visitor, place: Workplace, language: str
) -> None:
    place.pipeline(f'language = "{language}"\nlimits = {{ create = 1 }}', name=visitor.name)
    stopped = visitor.wait(visitor.post(upload_path(visitor.upload(SHEET)) + "/run", invites="none"))
    state, reason = {
        "en": ("Stopped by a limit, waits for approval", "2 users would be created, the limit is 1"),
        "de": ("Von einer Obergrenze angehalten", "2 Benutzer würden angelegt, die Obergrenze ist 1"),
    }[language]
    assert state in words_of(stopped)
    for page in (stopped, visitor.get(f"/jobs/{job_of(stopped)}/approve")):
        assert reason in words_of(page)
        assert "musterroll jobs" not in words_of(page)


def test_the_pages_speak_the_language_of_the_customer(visitor: Visitor, somebody: Visitor, place: Workplace) -> None:
    place.pipeline('language = "de"\non_error = "skip"', name=visitor.name)
    first, new = visitor.get(""), visitor.get("/new")
    problems = visitor.upload(MISTAKES)
    answers = visitor.get(upload_path(problems) + "/answers")
    job = visitor.wait(visitor.post(upload_path(problems) + "/run", invites="none"))
    pages = (first, new, problems, answers, job, visitor.get(f"/jobs/{job_of(job)}?part=problems"), visitor.get(""))
    texts = [words_of(page) for page in pages]
    assert "3 Fehler in staff.csv" in texts[2]
    assert "Mit Fehlern abgeschlossen" in texts[4]
    assert all('<html lang="de">' in page.text for page in pages)
    folder = ROOT / "plugins" / "musterroll_plugins"
    said = [entry for entry in polib.pofile(str(folder / "languages" / "de.po")) if "web/" in entry.occurrences[0][0]]
    english = {entry.msgid for entry in said if len(entry.msgid) > 3 and "{" not in entry.msgid + entry.msgstr}
    english -= {entry.msgstr for entry in said}
    left = [text for text in english for page in texts if re.search(rf"(?<![\w.-]){re.escape(text)}(?![\w.-])", page)]
    assert left == []
    assert "Customers" in words_of(Visitor(somebody.client, "").get("/"))  # a page of no customer
