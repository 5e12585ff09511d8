"""The program from outside: words in, documents and exit statuses out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from asyncio import CancelledError
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from musterroll import CommandType, engine, errors
from musterroll.engine import documents
from musterroll.journal.job import JobState
from musterroll.registry.registry import Registry
from musterroll.reports.report import Outcome, Report
from musterroll.reports.summaries import JobSummary
from musterroll_cli.commands import COMMANDS as TABLE
from musterroll_cli.main import asks_for_json, main

MakeReport = Callable[..., Report]
MakeJob = Callable[..., JobSummary]

MEMBERS = engine.MEMBERS
COMMANDS = list(MEMBERS)
PIPELINE = """
name = "{name}"
disable = ["console", "outbox"]
[backend]
use = "memory"
[[notifiers]]
name = "outbox"
enabled = false
"""
GROUPS = ["", "jobs", "invites", "plugins", "pipeline"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs in a folder with a small pipeline."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "musterroll.toml").write_text(PIPELINE.format(name="small"))
    return tmp_path


def program(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "musterroll_cli", *words]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, **options)


def test_help_loads_neither_the_engine_nor_a_plugin() -> None:
    code = (
        "import sys; from musterroll_cli.main import main; main(['--help']); main(['jobs', '--help']); main(['jobs']);"
        "heavy = ('musterroll', 'musterroll_plugins', 'pluggy', 'rich', 'openpyxl');"
        "print('LOADED', [name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "LOADED []" in done.stdout


# What takes its time, or belongs to what a command does not do.
_NEVER = [
    "rich",
    "openpyxl",
    "odf",
    "tomli_w",
    "argon2",
    "zxcvbn",
    "asyncio",
    "ssl",
    "aiohttp",
    "smtplib",
    "polib",
    "uvicorn",
    "filelock",
]
_HALF_OF_THE_WAY = [
    *(
        "musterroll.execute",
        "musterroll.invites",
        "musterroll.written",
        "musterroll.plan.sheet",
        "musterroll.portal.lookups",
    ),
    *(
        "musterroll.journal.journal",
        "musterroll.journal.job",
        "musterroll.commands.run",
        "musterroll.commands.documents",
    ),
    *("musterroll.contract.operations", "musterroll.contract.conditions", "musterroll.contract.edits"),
    *("musterroll.portal.portal", "musterroll_simple", "musterroll_http"),
    *(f"musterroll_plugins.backends.{one}" for one in ("ldap", "memory", "rest", "scim", "sql")),
    *(f"musterroll_plugins.{one}" for one in ("notifiers.csv", "notifiers.webhook", "groups.mapping", "portal", "web")),
    *("musterroll_plugins.readers.ods.document", "musterroll_plugins.readers.xlsx.workbook"),
    *("musterroll.pipeline.descriptions", "musterroll.pipeline.json_schema", "musterroll.commands.document"),
    *(f"musterroll_plugins.readers.{form}.{part}" for form in ("csv", "ods", "xlsx") for part in ("editor", "writer")),
    *("musterroll.journal.change", "musterroll.plan.groups", "email.policy", "email.headerregistry"),
    *(f"musterroll_plugins.readers.csv.{part}" for part in ("alphabets", "guess")),
    *("musterroll_plugins.backends.directory.backend", "musterroll_plugins.portal.server", "musterroll_http.client"),
]
_ENGINE = [
    "musterroll.commands",
    "musterroll.pipeline.loader",
    "musterroll.registry.registry",
    "musterroll.sheet.checks",
]


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["validate", "small.csv"], [*_NEVER, *_HALF_OF_THE_WAY]),
        (
            ["run", "--help"],
            [*_NEVER, *_HALF_OF_THE_WAY, *_ENGINE, "musterroll_plugins", "phonenumbers", "email_validator"],
        ),
    ],
)
def test_a_small_command_loads_only_what_it_uses(words: list[str], heavy: list[str], folder: Path) -> None:
    headings = "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups"
    user = "ana@example.com,ana,Ana,Lee,Secret-of-20-chars-1,44,7712345678,Region|North"
    (folder / "small.csv").write_text(f"{headings}\nguidance\n{user}\n")
    (folder / "musterroll.toml").unlink()
    code = (
        f"import sys; from musterroll_cli.start import main; sys.argv = ['musterroll', *{words}]; status = main();"
        f"print('LOADED', status, [name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "LOADED 0 []" in done.stdout


def test_the_table_says_of_every_command_what_its_help_begins_with(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(TABLE) == {*MEMBERS, "completion"}
    for name, command in TABLE.items():
        assert main([*name.split(), "--help"]) == 0
        paragraphs = capsys.readouterr().out.split("\n\n")
        assert " ".join(paragraphs[1].split()) == command.summary


@pytest.mark.parametrize("command", [*GROUPS, *COMMANDS, "completion"])
def test_every_help_has_a_summary_and_ends_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "--help"]) == 0
    lines = capsys.readouterr().out.rstrip().splitlines()
    assert lines[2].strip()
    assert lines[-2].strip() == "Example:"
    assert lines[-1].strip().startswith(f"musterroll {command}".strip())
    above = "\n".join(lines[:-1])
    for option in re.findall(r"(?<= )--?[a-z][a-z-]*", lines[-1]) if command in COMMANDS else ():
        assert re.search(rf"{option}\b", above), f"{option} of the example is no option"
    assert not re.search(r"<\w+", above), "the name of a type"


@pytest.mark.parametrize("columns", [50, 80, 200])
def test_help_is_as_wide_as_the_terminal_and_cuts_nothing(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for command in GROUPS:
        main([*command.split(), "--help"])
        text = capsys.readouterr().out
        assert "..." not in text.partition("Options:")[2]
        assert max(map(len, text.splitlines())) <= columns
    monkeypatch.setenv("COLUMNS", "200")
    main(["run", "--help"])
    assert any(len(line) > 100 for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize("command", GROUPS)
def test_a_group_alone_shows_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "--help"]) == 0
    helped = capsys.readouterr().out
    assert main(command.split()) == 0
    assert capsys.readouterr().out == helped


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_the_common_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    main([*command.split(), "--help"])
    text = capsys.readouterr().out
    for option in ("-p, --pipeline", "--profile", "--set", "--format", "--quiet", "--verbose", "--no-external-plugins"):
        assert option in text


def test_help_does_not_list_what_does_not_exist(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    text = capsys.readouterr().out
    assert "validate" in text
    assert "portal\n" not in text


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("musterroll ")


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("run --format json", "run"),
        ("run a.xlsx --format json --unknown", "run"),
        ("plan a.xlsx --invites everybody --format=json", "plan"),
        ("validate --format json a.xlsx --format xml", "validate"),
        ("jobs show --format=json", "jobs show"),
        ("jobs resume 1 --sheet --format json", "jobs resume"),
        ("pipeline check too many --format json", "pipeline check"),
        ("jobs --format json", "jobs"),
        ("--format json", None),
        ("frobnicate --format json", None),
        ("jobs frobnicate --format json", "jobs"),
    ],
)
def test_wrong_usage_is_one_document_where_json_is_asked_for(
    words: str, command: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == 2
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert err == ""
    assert document["command"] == command
    assert document["status"] == "error"
    assert document["error"]["code"] == "usage"
    assert document["pipeline"] == {"name": None, "profile": None}
    assert set(MEMBERS.get(command or "", {})) <= set(document)


def test_a_page_has_the_document_that_the_command_line_prints(capsys: pytest.CaptureFixture[str]) -> None:
    sheet = Path("staff.csv")
    sheet.write_text("Email,Username,Forename\ng\nnonsense,ana,Ana\n", encoding="utf-8")
    pipeline = engine.load_pipeline(None)
    with engine.validate(pipeline, sheet) as report:
        members = {
            **documents.opening("validate", pipeline=pipeline.name, profile=pipeline.profile),
            **documents.of_report(report),
            **documents.closing(report.outcome),
        }
        made = json.loads(json.dumps(members, default=list))
    assert main(["validate", "staff.csv", "--format", "json"]) == 1
    assert list(made.items()) == list(json.loads(capsys.readouterr().out).items())
    assert made["problems"]


@pytest.mark.parametrize(
    "words", ["jobs prune --keep x", "jobs prune --keep -1", "jobs show last --row 0", "jobs show last --row 1.5"]
)
def test_a_number_that_is_none_is_refused_in_words_of_our_own(capsys: pytest.CaptureFixture[str], words: str) -> None:
    assert main(words.split()) == 2
    assert "Input should" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "option", "says"),
    [
        ("plan", "--rows", "--rows A-B. Only these rows, by the sheet's numbers, e.g. 3-10."),
        ("plan", "--only", "--only USER. "),
        ("run", "--wait", "--wait TIME. How long to wait"),
        ("plan", "--expect", "--expect WHAT=N..M. "),
        ("plan", "-o", "-o PLAN. Save the plan"),
        ("jobs show", "--row", "--row N. "),
        ("portal", "--port", "--port N. "),
    ],
)
def test_an_option_without_what_belongs_to_it(
    capsys: pytest.CaptureFixture[str], command: str, option: str, says: str
) -> None:
    assert main([*command.split(), "it", option]) == 2
    mistake, hint = capsys.readouterr().err.splitlines()
    assert mistake.startswith(f"error: {option} needs something after it: {says}")
    assert hint == f"Try `musterroll {command} --help`."


def test_wrong_usage_is_told_in_two_lines_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "a.xlsx", "--invite", "all"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0].startswith("error: No such option")
    assert "--invites" in err
    assert err.splitlines()[1] == "Try `musterroll run --help`."
    main(["vaildate"])
    assert "validate" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "commands"),
    [("undo", "'jobs undo'"), ("release", "'invites release'"), ("status", "'jobs list' or 'doctor'")],
)
def test_a_command_of_a_group_is_named_to_whoever_forgets_the_group(
    capsys: pytest.CaptureFixture[str], word: str, commands: str
) -> None:
    assert main([word, "last"]) == 2
    assert capsys.readouterr().err.splitlines()[0] == f"error: No such command '{word}'. Did you mean {commands}?"


def test_a_format_after_the_end_of_options_is_a_name() -> None:
    assert asks_for_json(["run", "--format", "json", "--", "x"])
    assert not asks_for_json(["run", "--", "--format", "json"])
    assert not asks_for_json(["run", "--format", "text"])


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [
        (errors.UsageError("no"), 2, "error"),
        (errors.PipelineError([errors.Mistake("a.b", "no", "x.toml")]), 2, "error"),
        (errors.SourceError("no"), 2, "error"),
        (errors.PluginError(plugin="backend", stage="starting", cause="no"), 2, "error"),
        (errors.StateError("no"), 2, "error"),
        (errors.BackendUnavailableError("no"), 2, "error"),
        (errors.NotifierError("no"), 2, "error"),
        (errors.RefusedError("no"), 3, "refused"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (RecursionError("no"), 2, "error"),
        (BrokenPipeError("no"), 2, "error"),
        (SystemExit(0), 2, "error"),
        (CancelledError(), 2, "error"),
    ],
)
def test_every_error_has_its_exit_status_and_no_traceback(
    error: BaseException,
    status: int,
    name: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*args: object, **options: object) -> Report:
        raise error

    monkeypatch.setattr(engine, "validate", fail)
    assert main(["validate", "a.xlsx"]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 1
    assert main(["validate", "a.xlsx", "--format", "json"]) == status
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["status"] == name
    assert document["error"]["message"]
    assert document["pipeline"] == {"name": "small", "profile": None}
    assert err == ""


def test_what_a_plugin_prints_is_no_part_of_the_result(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **options: object) -> Report:
        print("looking at row 3")
        raise errors.SourceError("no")

    monkeypatch.setattr(engine, "validate", fail)
    assert main(["validate", "a.xlsx", "--format", "json"]) == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["status"] == "error"
    assert err == "looking at row 3\n"


def test_an_unexpected_failure_names_the_stage_and_verbose_shows_the_rest(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, progress: Any, **options: object) -> Report:
        password = "canary"
        progress.stage("Reading the sheet")
        raise ValueError("two\nlines" if password else "")

    monkeypatch.setattr(engine, "validate", fail)
    assert main(["validate", "a.xlsx"]) == 2
    err = capsys.readouterr().err
    assert err == (
        "error: unexpected failure in `validate` (Reading the sheet): ValueError: two lines;"
        " use --verbose for the details\n"
    )
    assert main(["validate", "a.xlsx", "--verbose"]) == 2
    err = capsys.readouterr().err
    assert "Traceback (most recent call last)" in err
    assert "password =" not in err


@pytest.mark.parametrize(
    "words",
    [
        ["validate", "a.csv", "--report", "{name}.html"],
        ["validate", "a.csv", "--annotate", "{name}.csv"],
        ["run", "a.csv", "--hand-over", "{name}.html"],
        ["template", "-o", "{name}.xlsx"],
        ["apply", "{name}"],
        ["init", "{name}"],
        ["run", "a.csv", "-p", "{name}.toml"],
    ],
)
def test_a_name_that_is_too_long_for_a_file(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("Username\n", encoding="utf-8")
    assert main([word.format(name="n" * 300) for word in words]) == 2
    assert capsys.readouterr().err.endswith(": the name is too long for a file; take a shorter one\n")
    assert {path.name for path in tmp_path.iterdir()} == {"musterroll.toml", "a.csv"}


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.OK, 0),
        (Outcome.PROBLEMS, 1),
        (Outcome.ERROR, 2),
        (Outcome.REFUSED, 3),
        (Outcome.FAILED, 4),
        (Outcome.INTERRUPTED, 130),
    ],
)
def test_a_report_has_the_exit_status_of_its_outcome_and_is_closed(
    outcome: Outcome,
    status: int,
    make_report: MakeReport,
    make_job: MakeJob,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed: list[bool] = []
    error = errors.BackendError("the portal is gone") if status > 1 else None
    report = make_report(
        "run", outcome=outcome, job=make_job(JobState.FAILED), error=error, close=lambda: closed.append(True)
    )
    monkeypatch.setattr(engine, "run", lambda *args, **options: report)
    assert main(["run", "a.xlsx", "--yes"]) == status
    assert ("error: the portal is gone" in capsys.readouterr().err) is (error is not None)
    assert main(["run", "a.xlsx", "--format", "json"]) == status
    document = json.loads(capsys.readouterr().out)
    assert document["status"] == outcome
    assert document["error"] == ({"code": "backend.failed", "message": "the portal is gone"} if error else None)
    assert closed == [True, True]


def test_options_may_stand_before_and_after_the_sheet(make_report: MakeReport, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Any, Path]] = []

    def plan(pipeline: Any, sheet: Path, **options: object) -> Report:
        seen.append((pipeline, sheet))
        return make_report("plan")

    monkeypatch.setattr(engine, "plan", plan)
    assert main(["plan", "a.xlsx", "--set", "on_error=skip", "--invites", "all"]) == 0
    assert main(["plan", "--invites", "all", "--set", "on_error=skip", "a.xlsx"]) == 0
    for pipeline, sheet in seen:
        assert sheet == Path("a.xlsx")
        assert pipeline.settings.on_error == "skip"
        assert pipeline.settings.invites.send_to == "all"


def test_a_stream_that_breaks_while_it_is_printed_still_makes_one_document(
    make_report: MakeReport, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def problems() -> Any:
        yield from make_report("validate").problems()
        raise errors.StateError("the journal cannot be read")

    report = make_report("validate")
    report.problems = problems
    monkeypatch.setattr(engine, "validate", lambda *args, **options: report)
    assert main(["validate", "a.xlsx", "--format", "json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert len(document["problems"]) == 2
    assert document["status"] == "error"
    assert document["error"]["code"] == "state.unusable"


@pytest.fixture
def acme(folder: Path) -> Path:
    file = folder / "acme.toml"
    file.write_text(PIPELINE.format(name="acme") + '[profiles.production]\non_error = "skip"\n')
    return file


def test_resuming_uses_the_profile_and_settings_of_the_job(
    acme: Path,
    make_report: MakeReport,
    make_job: MakeJob,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Any] = []

    def resume(pipeline: Any, job: str, **options: object) -> Report:
        seen.append((pipeline.profile, pipeline.set_options, pipeline.settings.invites.valid_days, job))
        return make_report("jobs resume", job=make_job())

    monkeypatch.setattr(engine, "job_settings", lambda *args: ("production", ("invites.valid_days=3",)))
    monkeypatch.setattr(engine, "resume", resume)
    words = ["jobs", "resume", "20260301-1", "-p", "acme.toml"]
    assert main(words) == 0
    assert main([*words, "--profile", "production", "--set", "invites.valid_days=3"]) == 0
    assert seen == [("production", ("invites.valid_days=3",), 3, "20260301-1")] * 2
    capsys.readouterr()
    assert main([*words, "--set", "invites.valid_days=4"]) == 2
    assert "--set invites.valid_days=3" in capsys.readouterr().err
    acme.write_text(acme.read_text() + "[profiles.test]\n")
    assert main([*words, "--profile", "test"]) == 2
    assert '"production"' in capsys.readouterr().err
    assert len(seen) == 2


def test_jobs_are_listed_as_text_and_json(
    make_job: MakeJob, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "list_jobs", lambda pipeline: [make_job()])
    assert main(["jobs", "list"]) == 0
    assert "20260301-1" in capsys.readouterr().out
    assert main(["jobs", "list", "--format", "json"]) == 0
    (job,) = json.loads(capsys.readouterr().out)["jobs"]
    assert set(job) == {"id", "state", "started", "finished", "sheet", "counts"}


def test_plugins_are_listed_as_text_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "list"]) == 0
    assert "csv" in capsys.readouterr().out
    assert main(["plugins", "list", "--format", "json"]) == 0
    plugins = json.loads(capsys.readouterr().out)["plugins"]
    found = next(plugin for plugin in plugins if plugin["name"] == "csv")
    assert found["kind"] == "reader"
    assert found["distribution"] == "musterroll"
    assert found["status"] == "ok"


def test_a_pipeline_with_mistakes_only_hides_its_own_plugins(acme: Path, capsys: pytest.CaptureFixture[str]) -> None:
    acme.write_text('name = "acme"\nunknown = 1\n')
    assert main(["plugins", "list", "-p", "acme.toml"]) == 0
    out, err = capsys.readouterr()
    assert "csv" in out
    assert "musterroll pipeline check" in err
    assert main(["plugins", "list", "-p", "nowhere.toml"]) == 2


def test_checking_a_pipeline_lists_every_mistake(acme: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pipeline", "check", "-p", "acme.toml"]) == 0
    assert capsys.readouterr().out == "acme.toml: ok\n"
    assert main(["pipeline", "check", "-p", "acme.toml", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["valid"] is True
    assert document["mistakes"] == []
    acme.write_text('on_eror = "skip"\nmatch = ["nobody"]\n' + PIPELINE.format(name="acme"))
    assert main(["pipeline", "check", "-p", "acme.toml"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("error: ") == 2
    assert all("acme.toml" in line for line in err.splitlines() if line.startswith("error: "))
    assert main(["pipeline", "check", "-p", "acme.toml", "--format", "json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["valid"] is False
    assert {mistake["path"] for mistake in document["mistakes"]} == {"on_eror", "match[0]"}
    assert document["error"]["code"] == "pipeline.invalid"


def test_the_merged_pipeline_is_toml(acme: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import tomllib

    assert main(["pipeline", "show", "-p", "acme.toml", "--profile", "production"]) == 0
    merged = tomllib.loads(capsys.readouterr().out)
    assert (merged["name"], merged["on_error"], merged["backend"]["use"]) == ("acme", "skip", "memory")
    assert main(["pipeline", "show", "-p", "acme.toml", "--profile", "production", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["settings"] == merged
    assert document["pipeline"] == {"name": "acme", "profile": "production"}


def test_warnings_of_the_pipeline_go_to_standard_error(acme: Path, capsys: pytest.CaptureFixture[str]) -> None:
    acme.write_text(acme.read_text() + '[sheet.defaults]\npassword = "canary-password"\n')
    main(["pipeline", "show", "-p", "acme.toml"])
    out, err = capsys.readouterr()
    assert err.startswith("warning: ")
    assert "canary" not in out + err
    main(["pipeline", "show", "-p", "acme.toml", "--quiet"])
    assert capsys.readouterr().err == ""


def test_a_plugin_may_bring_a_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> Callable[..., int]:
        def greet(name: str) -> int:
            """Greets somebody."""
            print(f"hello {name}")
            return 3

        return greet

    record = CommandType(name="greet", summary="Greets", load=load)
    monkeypatch.setattr(Registry, "find", lambda self, kind, use: record)
    assert main(["greet", "ana"]) == 3
    assert capsys.readouterr().out == "hello ana\n"
    assert main(["greet", "--help"]) == 0
    assert "Greets somebody" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "status"), [(errors.RefusedError("not today"), 3), (ZeroDivisionError("not today"), 2)]
)
def test_a_plugin_command_that_breaks_is_one_line(
    error: Exception, status: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load() -> Callable[..., int]:
        raise error

    record = CommandType(name="greet", summary="Greets", load=load)
    monkeypatch.setattr(Registry, "find", lambda self, kind, use: record)
    assert main(["greet", "ana"]) == status
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert main(["greet", "ana", "--format", "json"]) == status
    assert "not today" in json.loads(capsys.readouterr().out)["error"]["message"]


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX shells")
def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "musterroll_cli", "pipeline", "show"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0
    assert err == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full disk")
def test_a_full_disk_is_told() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "musterroll_cli", "pipeline", "show"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("error: the output cannot be written")


def test_json_is_utf_8_whatever_the_surroundings(acme: Path) -> None:
    acme.write_text(PIPELINE.format(name="acme") + '[sheet.compose]\nforename = "Zoë 山田"\n', encoding="utf-8")
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = program("pipeline", "show", "-p", "acme.toml", "--format", "json", env=ascii_only)
    assert "Zoë 山田" in done.stdout
    done = program("pipeline", "show", "-p", "acme.toml", env=ascii_only)
    assert done.returncode == 0
    assert r"Zo\xeb" in done.stdout
