"""Mistakes in the options of notifiers are found when the pipeline is checked."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from musterroll.errors import PipelineError
from musterroll.pipeline.loader import load_pipeline
from musterroll.pipeline.pipeline import Pipeline
from musterroll_plugins.notifiers.smtp import SmtpOptions

SMTP = 'host = "localhost"\nsender = "it@acme.example"\n'
HOOK = 'url = "https://gateway.example/"\n'


def load(folder: Path, use: str, options: str, *, on: str = '["invite"]', top: str = "") -> Pipeline:
    text = f'name = "acme"\n{top}\n[[notifiers]]\nname = "x"\nuse = "{use}"\non = {on}\n[notifiers.options]\n{options}'
    (folder / "acme.toml").write_text(text, encoding="utf-8")
    return load_pipeline(folder / "acme.toml", external_plugins=False)


def mistakes(folder: Path, use: str, options: str, *, on: str = '["invite"]') -> str:
    with pytest.raises(PipelineError) as caught:
        load(folder, use, options, on=on)
    (text,) = [str(mistake) for mistake in caught.value.mistakes]
    return text.partition("acme.toml: notifiers[x].options")[2]


@pytest.mark.parametrize(
    ("use", "options", "says"),
    [
        ("smtp", 'text = "a\\n{fornname}"', '.text: line 2: unknown placeholder {fornname}, did you mean "forename"?'),
        ("smtp", 'subject = "{password}"', ".subject: unknown placeholder {password}; there are email, "),
        ("smtp", 'subject = "a\\nb"', ".subject: must be one line"),
        ("smtp", 'subject = " "', ".subject: must not be empty"),
        ("smtp", 'text = ""', ".text: must not be empty"),
        ("outbox", 'folder = ""', ".folder: must not be empty"),
        ("smtp", 'text = "x"\nhtml = "<style>p { x }"', '.html: line 1: a single "{"'),
        ("smtp", 'html = "x"', ": html needs text beside it"),
        ("smtp", 'text = { file = "none.txt" }', ".text: the template "),
        ("smtp", 'text = { path = "none.txt" }', '.text: write the text, or { file = "PATH" }'),
        ("smtp", 'finished.text = "{forename}"', ".finished.text: line 1: unknown placeholder {forename}"),
        ("smtp", 'languages.de = { text = "x" }\nlanguage_field = "forename"', ".languages.de: a subject is needed"),
        (
            "smtp",
            'languages.de = { text = "x", subject = "y" }',
            ': language_field: there is no field "language"; the fields are',
        ),
        ("smtp", 'user = "robot"', ": user and password belong together"),
        ("outbox", 'text = "{fornname}"', ".text: line 1: unknown placeholder {fornname}"),
        ("outbox", 'template = "x"', ': there is no option template; write text = { file = "PATH" }'),
        ("console", 'finished_template = "x"', ": there is no option finished_template; write finished.text = { file"),
        ("csv", 'columns = ["fornname"]', '.columns: there is no "fornname", did you mean "forename"?'),
        ("webhook", 'body = { a = [{ b = "{fornname}" }] }', ".body.a[0].b: unknown placeholder {fornname}, did you"),
        ("webhook", 'finished_body.a = "{forename}"', ".finished_body.a: unknown placeholder {forename}"),
    ],
)
def test_mistakes(tmp_path: Path, use: str, options: str, says: str) -> None:
    text = mistakes(tmp_path, use, {"smtp": SMTP, "webhook": HOOK}.get(use, "") + options)
    assert text.startswith(says), text


@pytest.mark.parametrize("sender", ["IT", "a@b\\nBcc: c@d", "", "jörg@acme.example"])
def test_senders_that_are_none(tmp_path: Path, sender: str) -> None:
    assert mistakes(tmp_path, "smtp", f'host = "localhost"\nsender = "{sender}"').startswith(".sender: ")


def test_a_password_never_goes_in_the_clear(tmp_path: Path) -> None:
    options = 'sender = "a@b.example"\nuser = "robot"\npassword = { env = "X" }\n'
    clear = options + 'host = "mail.example"\nsecurity = "none"'
    assert "in the clear" in mistakes(tmp_path, "smtp", clear)
    assert load(tmp_path, "smtp", clear.replace("mail.example", "localhost"))


def test_reports_need_somebody_to_report_to(tmp_path: Path) -> None:
    assert "report_to is needed" in mistakes(tmp_path, "smtp", SMTP, on='["invite", "finished"]')
    assert load(tmp_path, "smtp", SMTP + 'report_to = ["a@b.example"]', on='["finished"]')
    assert "report_to is needed" in mistakes(tmp_path, "outbox", "", on='["finished"]')
    assert "invites only" in mistakes(tmp_path, "csv", "", on='["finished"]')


def test_a_file_with_a_mistake_is_named(tmp_path: Path) -> None:
    (tmp_path / "de.txt").write_text("Subject: Hallo\n\n{vorname}\n", encoding="utf-8")
    text = mistakes(tmp_path, "smtp", SMTP + 'language_field = "forename"\nlanguages.de.text = { file = "de.txt" }')
    assert text.startswith(".languages.de.text: ")
    assert "de.txt, line 3: unknown placeholder {vorname}" in text


def test_files_of_several_layers_are_found_beside_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    here = [(tmp_path / "base", "text.txt", "base"), (tmp_path, "text.txt", "wrong"), (tmp_path, "./de.txt", "de")]
    for folder, name, text in here:
        (folder / name).write_text(f"Subject: {text}\n", encoding="utf-8")
    (tmp_path / "base" / "base.toml").write_text(
        f'name = "base"\n[[notifiers]]\nname = "x"\nuse = "smtp"\n[notifiers.options]\n{SMTP}text.file = "text.txt"',
        encoding="utf-8",
    )
    options = 'language_field = "forename"\nlanguages.de.text = { file = "./de.txt" }'
    (tmp_path / "acme.toml").write_text(
        f'name = "acme"\nextends = "base/base.toml"\n[[notifiers]]\nname = "x"\n[notifiers.options]\n{options}',
        encoding="utf-8",
    )
    pipeline = load_pipeline(tmp_path / "acme.toml", external_plugins=False)
    (found,) = [cast("SmtpOptions", one.options) for one in pipeline.notifiers if one.label == "notifiers[x]"]
    assert (found.text, found.languages["de"].text) == ("Subject: base\n", "Subject: de\n")
