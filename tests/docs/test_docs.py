"""Holds the documentation to the code: what exists is documented, and what is documented exists."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel, RootModel

from musterroll import (
    Component,
    Context,
    FieldSet,
    GroupResolver,
    Message,
    Notifier,
    Purpose,
    Reader,
    Recipient,
    RowValidator,
    SentStatus,
    SheetValidator,
    UserBackend,
    engine,
)
from musterroll.journal.targets import Target
from musterroll.pipeline.files import standard_text
from musterroll.pipeline.loader import load_pipeline
from musterroll.pipeline.settings import Settings
from musterroll.registry import hookspecs
from musterroll.registry.loader import local_file
from musterroll.registry.registry import KINDS, Registry
from musterroll.reports.report import Outcome
from musterroll.testing import (
    BackendContract,
    GroupResolverContract,
    NotifierContract,
    PipelineTrial,
    ReaderContract,
    ValidatorContract,
    build_backend,
    build_group_resolver,
    build_notifier,
    build_reader,
    build_validator,
    make_context,
)
from musterroll_cli.program import EXIT_STATUS, make_program
from musterroll_plugins.backends.rest.calls import GroupCalls, ListCall, UserCalls
from support.mini_portal import MiniServer, mini_server
from support.receivers import Answer, receiver, script
from support.scripts import docs_script

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md"])

_CODE = re.compile(r"[a-z_]+(\.[a-z_]+)?|FIELD\.[a-z_]+")


@cache
def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """The text under the heading that has these words in it, up to the next heading of its level or above."""
    found = re.search(rf"^(#+) [^\n]*{re.escape(heading)}[^\n]*\n", text, re.MULTILINE)
    assert found, f"no heading with {heading!r}"
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def rows(text: str) -> dict[str, str]:
    """The rows of tables, by each of the code words in their first cell."""
    lines = re.findall(r"^\| (`.*?) \|(.*)\|$", text, re.MULTILINE)
    return {name: rest for first, rest in lines for name in re.findall(r"`([^`]+)`", first)}


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


# -- the source -----------------------------------------------------------------------------------------------


def sources() -> Iterator[ast.Module]:
    for top in ("core", "plugins", "cli"):
        for path in sorted((ROOT / top).rglob("*.py")):
            if "testing" not in path.parts:
                yield ast.parse(path.read_text(encoding="utf-8"))


def texts(node: ast.expr, constants: dict[str, str]) -> Iterator[str]:
    """The texts that an expression may come to; what is filled in is FIELD unless it is a constant."""
    match node:
        case ast.Constant(str(text)):
            yield text
        case ast.IfExp():
            yield from texts(node.body, constants)
            yield from texts(node.orelse, constants)
        case ast.BoolOp():
            for one in node.values:
                yield from texts(one, constants)
        case ast.JoinedStr():
            parts = [p.value if isinstance(p, ast.FormattedValue) else p for p in node.values]
            yield "".join(next(texts(part, constants), "FIELD") for part in parts)
        case ast.Name(name) if name in constants:
            yield constants[name]


@cache
def codes() -> tuple[set[str], set[str]]:
    """The codes of problems, and of errors."""
    problems, errors = set[str](), set[str]()
    for module in sources():
        constants = {
            target.id: statement.value.value
            for statement in module.body
            if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
            for target in statement.targets
            if isinstance(target, ast.Name) and isinstance(statement.value.value, str)
        }
        for node in ast.walk(module):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                problems.update(_problem_codes(name, node, constants))
                if name != "Problem":
                    named = (word.value for word in node.keywords if word.arg == "code")
                    errors.update(text for value in named for text in texts(value, constants))
            else:
                errors.update(_own_codes(node))
    return problems, errors


def _problem_codes(name: str, call: ast.Call, constants: dict[str, str]) -> Iterator[str]:
    # row.problem(field, code, …), CellFault(code, …), Objection(field, message, code)
    place = {"problem": 1, "CellFault": 0, "Objection": 2}
    arguments = call.args[place[name] : place[name] + 1] if name in place else []
    if name in (*place, "Problem"):
        arguments = [*arguments, *(word.value for word in call.keywords if word.arg == "code")]
    for argument in arguments:
        yield from filter(_is_problem, texts(argument, constants))


def _is_problem(code: str) -> bool:
    return "." in code and _CODE.fullmatch(code) is not None


def _own_codes(node: ast.AST) -> Iterator[str]:
    """What a class says that its code is, or a function where it is not told."""
    if isinstance(node, ast.ClassDef):
        for statement in node.body:
            if isinstance(statement, ast.Assign) and _is_code(statement):
                yield from texts(statement.value, {})
    if isinstance(node, ast.FunctionDef):
        named = [argument.arg for argument in node.args.args][-len(node.args.defaults) :]
        for name, value in zip(named, node.args.defaults, strict=False):
            if name == "code":
                yield from texts(value, {})


def _is_code(statement: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "code" for target in statement.targets)


# -- problems and errors --------------------------------------------------------------------------------------


def test_every_problem_code_is_documented_and_exists() -> None:
    documented, existing = set(rows(page("problems.md"))), codes()[0]
    assert existing - documented == set()
    unknown = {code for code in documented - existing if f"FIELD.{code.partition('.')[2]}" not in existing}
    assert unknown == set()


def test_every_error_code_is_documented_and_exists() -> None:
    documented, existing = set(rows(section(page("commands.md"), "Error codes"))), codes()[1]
    assert len(existing) > 20  # the search itself still finds them
    assert existing == documented - {"error.code"}


def test_every_exit_status_is_documented() -> None:
    documented = re.findall(r"^\| (\d+) \| `(\w+)` \|", section(page("commands.md"), "Exit status"), re.MULTILINE)
    told_apart = ("5", "ok")  # `plan --detailed-exitcode`
    assert {(str(EXIT_STATUS[outcome]), outcome.value) for outcome in Outcome} | {told_apart} == set(documented)


# -- commands -------------------------------------------------------------------------------------------------


def commands() -> dict[str, dict[str, set[str]]]:
    """Every command, with its options by each of their spellings."""

    def walk(found: Any, name: str) -> Iterator[tuple[str, Any]]:
        if hasattr(found, "commands"):
            for key, child in found.commands.items():
                yield from walk(child, f"{name} {key}")
        else:
            yield name, found.loaded

    program: Any = make_program()
    brought = [component.name for kind, component in components() if kind == "command"]
    found = [*walk(program, "musterroll"), *((f"musterroll {n}", program.get_command(None, n)) for n in brought)]
    return {
        name: {text: set(one.opts) for one in command.params for text in one.opts if text.startswith("-")}
        for name, command in found
    }


def test_every_command_and_option_is_documented_and_exists() -> None:
    text = page("commands.md")
    documented = set(re.findall(r"^### `(musterroll [a-z ]+)`", text, re.MULTILINE))
    assert documented == set(commands())
    common = re.findall(r"`(--?[a-z-]+)", section(text, "Common options"))
    everything = {"--help", "-h", "--version"}
    for name, options in commands().items():
        own = re.findall(r"`(--?[a-z-]+)", section(text, f"`{name}`"))
        assert set(options) - {"--help", "-h"} <= {*common, *own}, name
        everything |= set(options)
    assert set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", text)) <= everything


# -- the pipeline file ----------------------------------------------------------------------------------------


def tables(model: type[BaseModel], name: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yields table, key and annotation of everything that a pipeline file can say."""
    for attribute, info in model.model_fields.items():
        key, annotation = info.alias or attribute, info.annotation
        yield name, key, annotation
        inner = [a for a in (annotation, *get_args(annotation)) if isinstance(a, type) and issubclass(a, BaseModel)]
        inner = [one for one in inner if not issubclass(one, RootModel)]  # a value of one kind, e.g. `when`
        path = f"{name}.{key}".lstrip(".")
        for one in inner:
            yield from tables(one, path)


def _heading(table: str) -> str:
    arrays = ("transforms", "validators", "groups", "notifiers", "sheet.fields")
    return f"`[[{table}]]`" if table in arrays else f"`[{table}]`" if table else "Top level"


def test_every_key_of_the_pipeline_file_is_documented() -> None:
    for table, key, annotation in tables(Settings):
        documented = rows(section(page("pipeline.md"), _heading(table)))
        if table or not re.search(rf"^### .*`\[\[?{key}[].]", page("pipeline.md"), re.MULTILINE):
            assert key in documented, f"{table}.{key}"
        for choice in get_args(annotation) if get_origin(annotation) is Literal else ():
            assert f"`{json.dumps(choice)}`" in documented[key], f"{table}.{key}: {choice}"


def test_no_key_is_documented_that_does_not_exist() -> None:
    known = {(table, key) for table, key, _ in tables(Settings)} | {("", "extends"), ("", "profiles")}
    for table in {table for table, _ in known}:
        text = re.split(r"^#{3,} ", section(page("pipeline.md"), _heading(table)), maxsplit=1, flags=re.MULTILINE)[0]
        assert {(table, key) for key in rows(text)} <= known


def test_the_defaults_of_the_standard_pipeline_are_documented() -> None:
    standard = tomllib.loads(standard_text())
    for table, key, _ in tables(Settings):
        values: Any = standard
        for part in table.split(".") if table else ():
            values = values.get(part, {}) if isinstance(values, dict) else {}
        value = values.get(key) if isinstance(values, dict) else None
        if isinstance(value, str | int) and (table, key) != ("", "name"):
            assert f"`{json.dumps(value)}`" in rows(section(page("pipeline.md"), _heading(table)))[key], (
                f"{table}.{key}"
            )


def components() -> list[tuple[str, Component]]:
    registry = Registry.load(external=False)
    return [(kind, provider.component) for kind in KINDS for provider in registry.components(kind)]


@pytest.mark.parametrize(
    ("kind", "component"), [pytest.param(*one, id=one[1].name) for one in components() if one[0] != "command"]
)
def test_every_component_and_option_is_documented(kind: str, component: Component) -> None:
    found = re.search(
        rf"<!-- generated: {kind} {component.name} -->\n(.*?)<!-- end -->", page("pipeline.md"), re.DOTALL
    )
    assert found, f"no table for the {kind} {component.name}"
    options: type[BaseModel] = component.options  # type: ignore[attr-defined]  # but commands
    assert set(rows(found[1])) == set(options.model_fields)


def test_the_generated_tables_are_up_to_date() -> None:
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        assert docs_script("generate").generated(text) == text, f"{path.name}: run python docs/generate.py"
        assert "ForwardRef" not in text


# -- plugins --------------------------------------------------------------------------------------------------

PLUGIN_PAGES = [*sorted((DOCS / "plugins").glob("*.md")), DOCS / "rest.md"]
_BRINGS = re.compile(r"^@(hookimpl|rule|sheet_rule|group_rule)\b", re.MULTILINE)


def plugins_of(*paths: Path) -> list[str]:
    """The examples of pages that are whole plugins."""
    return [block for path in paths for block in blocks(path, "python") if _BRINGS.search(block)]


def test_every_hook_is_documented() -> None:
    hooks = {name for name in vars(hookspecs) if name.startswith("musterroll_")}
    named = re.findall(r"^\| `(musterroll_\w+)`", page("plugins/README.md"), re.MULTILINE)
    assert set(named) == hooks
    # and each of them in an example
    examples = "".join(plugins_of(*PLUGIN_PAGES))
    assert hooks == set(re.findall(r"^def (musterroll_\w+)", examples, re.MULTILINE))


def test_every_python_block_compiles() -> None:
    for path in PAGES:
        for block in blocks(path, "python"):
            compile(block, str(path), "exec")


def _load(folder: Path, *examples: str) -> Registry:
    files = [folder / f"example{number}.py" for number, _ in enumerate(examples)]
    for file, example in zip(files, examples, strict=True):
        file.write_text(example, encoding="utf-8")
    return Registry.load(external=False, local_files=files)


@pytest.mark.parametrize("paths", [PLUGIN_PAGES, [ROOT / "README.md"]], ids=["plugins", "README"])
def test_every_example_of_a_plugin_loads(paths: list[Path], tmp_path: Path) -> None:
    examples = plugins_of(*paths)
    assert examples
    registry = _load(tmp_path, *examples)
    assert [str(fault) for fault in registry.faults] == []
    assert "conflict" not in {line.status for line in registry.listing()}


def example(name: str, folder: Path, *, and_also: str = "") -> Any:
    """Runs the example that has this in it; returns its module."""
    (code,) = [block for block in plugins_of(*PLUGIN_PAGES) if name in block]
    file = folder / "example.py"
    file.write_text(code + and_also, encoding="utf-8")
    return local_file(file).load()


class TestTheRuleOfThePage(ValidatorContract):
    module: Any
    good = ({"email": "ana@acme.example"},)
    bad = ({"email": "ana@elsewhere.example"},)
    codes = frozenset({"acme.email_domain"})

    @pytest.fixture(autouse=True)
    def _load(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        self.module = example("class EmailDomain:", tmp_path_factory.mktemp("plugin"))

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(self.module, "acme-email-domain", domains=("acme.example",))


class TestTheBackendOfThePage(BackendContract):
    module: Any

    @pytest.fixture(autouse=True)
    def _load(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        self.module = example("class JsonFile:", tmp_path_factory.mktemp("plugin"))

    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        module = self.module
        context = Context(instance="backend", fields=FieldSet([]), read_only=read_only)
        backend: UserBackend = module.JsonFile(module.JsonFileOptions(path=folder / "users.json"), context)
        return backend


@pytest.fixture(scope="module")
def mini_portals() -> Iterator[MiniServer]:
    with mini_server() as running:
        yield running


class TestTheSimpleBackendOfThePage(BackendContract):
    module: Any
    written, name = "class Club(SimpleBackend)", "club"

    @pytest.fixture(autouse=True)
    def _load(self, tmp_path_factory: pytest.TempPathFactory, mini_portals: MiniServer) -> None:
        self.module, self.server = example(self.written, tmp_path_factory.mktemp("plugin")), mini_portals

    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        options = {"url": self.server.portal(f"{self.name}-{folder.name}").url, "token": "Sesame"}
        return build_backend(self.module, self.name, make_context(read_only=read_only), **options)


class TestTheRestBackendOfThePage(TestTheSimpleBackendOfThePage):
    written, name = "class Club(RestBackend)", "club-rest"


@pytest.mark.parametrize(
    ("heading", "models"),
    [
        ("Users", [UserCalls]),
        ("Groups", [GroupCalls]),
        ("Lists and pages", [ListCall]),
    ],
)
def test_every_part_of_a_described_portal_is_documented(heading: str, models: list[type[BaseModel]]) -> None:
    table = section(page("rest.md"), heading).partition("|---|")[2].partition("\n\n")[0]
    documented = {name for line in table.splitlines()[1:] for name in re.findall(r"`(\w+)`", line.split("|")[1])}
    assert documented == {name for model in models for name in model.model_fields} - {"request", "body"}


class TestTheTenLinesOfThePage(ValidatorContract):
    good, bad, codes = ({"staff_number": "A10015"},), ({"staff_number": "10015"},), frozenset({"acme.staff_number"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(loaded('@rule("acme-staff-number"'), "acme-staff-number")


class TestTheSheetRuleOfThePage(ValidatorContract):
    good = ({"username": "ana"}, {"username": "bo", "manager": "ana"}, {"username": "cy", "manager": "bo"})
    bad = ({"username": "ana", "manager": "di"}, {"username": "bo", "manager": "ana"}, {"username": "cy"})
    codes = frozenset({"acme.manager"})

    def validator(self) -> RowValidator | SheetValidator:
        return build_validator(loaded('@sheet_rule("acme-managers"'), "acme-managers")


class TestTheGroupRuleOfThePage(GroupResolverContract):
    row, groups = {"site": "York"}, frozenset({("Sites", "York")})

    def resolver(self) -> GroupResolver:
        return build_group_resolver(loaded('@group_rule("acme-site"'), "acme-site")


class TestTheGroupResolverOfThePage(GroupResolverContract):
    row, groups = {"department": "Sales"}, frozenset({("Departments", "Sales")})

    def resolver(self) -> GroupResolver:
        return build_group_resolver(loaded("class Department:"), "acme-department")


class TestTheReaderOfThePage(ReaderContract):
    has_worksheets = False

    def open_reader(self) -> Reader:
        return build_reader(loaded("class Tabs:"), "tabs")

    def write(self, path: Path, rows: Sequence[Sequence[str]]) -> None:
        path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")


class TestTheNotifierOfThePage(NotifierContract):
    unreachable = MappingProxyType({"email": "ana@example.com"})

    @pytest.fixture(autouse=True)
    def _gateway(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setenv("SMS_TOKEN", "x")
        with receiver() as server:
            self.url = server.url
            yield

    def open_notifier(self, folder: Path) -> Notifier:
        return build_notifier(loaded("class Sms:"), "acme-sms", url=self.url, token={"env": "SMS_TOKEN"})


@cache
def loaded(name: str) -> Any:
    """The module of the example that has this in it."""
    return example(name, Path(mkdtemp()))


def test_the_writer_of_the_page_writes_what_its_reader_reads(tmp_path: Path) -> None:
    (tmp_path / "tabs.py").write_text(
        next(b for b in plugins_of(*PLUGIN_PAGES) if "class Tabs:" in b), encoding="utf-8"
    )
    trial = PipelineTrial(tmp_path, 'reader.use = "tabs"', plugins=[tmp_path / "tabs.py"])
    user = {"username": "ana", "forename": "Ana", "password": "Meadow-Kite-41"}
    sheet = engine.template(trial.pipeline, tmp_path / "staff.tsv", users=[user]).path
    assert trial.run(sheet).actions == {"ana": "create"}


@pytest.mark.slow
def test_every_example_is_typed(tmp_path: Path) -> None:
    examples = [
        block
        for path in PLUGIN_PAGES
        for block in blocks(path, "python")
        if _BRINGS.search(block) or "class Slow:" in block or "PipelineTrial" in block or "Options):" in block
    ]
    for number, code in enumerate(examples):
        (tmp_path / f"example{number}.py").write_text(code, encoding="utf-8")
    files = [path.name for path in tmp_path.glob("*.py")]
    words = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), *files]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_pipelines_in_tests_of_the_page_pass(tmp_path: Path) -> None:
    for number, code in enumerate(b for b in blocks(DOCS / "plugins" / "testing.md", "python") if "PipelineTrial" in b):
        (tmp_path / f"test_example{number}.py").write_text(code, encoding="utf-8")
    words = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"--rootdir={tmp_path}")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "9 passed" in done.stdout) == (0, True), done.stdout


def test_the_test_of_the_page_passes(tmp_path: Path) -> None:
    rule, faults = [
        block
        for path in PLUGIN_PAGES
        for block in blocks(path, "python")
        if "def test_" in block and "Contract" not in block and "PipelineTrial" not in block
    ]
    example("class EmailDomain:", tmp_path, and_also=rule).test_other_domains_are_refused()
    example("class JsonFile:", tmp_path, and_also=faults).test_an_answer_that_is_lost()


def test_the_rules_of_the_page_work_together(tmp_path: Path) -> None:
    words = ("class JsonLines:", "class EmailDomain:", "class Licences:", "class Department:")
    files = [tmp_path / f"plugin{number}.py" for number, _ in enumerate(words)]
    for file, word in zip(files, words, strict=True):
        (code,) = [block for block in plugins_of(*PLUGIN_PAGES) if word in block]
        file.write_text(code, encoding="utf-8")
    pipeline = """
        sheet.omit = ["surname", "password", "calling_code", "phone", "groups"]
        sheet.fields = [{ name = "department", heading = "Department" }]
        validators = [
            { name = "domain", use = "acme-email-domain", options = { domains = ["acme.example"] } },
            { name = "licences", use = "acme-licences", options = { most = 1 } },
        ]
        groups = [{ name = "department", use = "acme-department" }]
        """
    trial = PipelineTrial(tmp_path, pipeline, plugins=files)
    people = [("ana", "ana@acme.example", "Sales"), ("bo", "bo@elsewhere.example", "")]
    keys = ("Username", "Email", "Department")
    lines = [json.dumps({**dict(zip(keys, person, strict=True)), "Forename": "X"}) for person in people]
    sheet = tmp_path / "staff.jsonl"
    sheet.write_text("\n".join(lines), encoding="utf-8")
    result = trial.plan(sheet)
    assert result.found == [("acme.licences", None), ("acme.email_domain", "B4")]
    assert [(change.username, change.add) for change in result.changes] == [
        ("ana", (Target(("Departments", "Sales")),))
    ]


def test_the_notifier_of_the_page_answers_for_each_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = example("class Sms:", tmp_path)
    monkeypatch.setenv("SMS_TOKEN", "x")
    options = module.SmsOptions(url="http://127.0.0.1:9/", token={"env": "SMS_TOKEN"})  # nobody listens there
    notifier = module.Sms(options, Context(instance="notifiers[sms]", fields=FieldSet([])))
    ana = Recipient(username="ana", fields={"calling_code": "44", "phone": "7712345678"})
    assert notifier.can_reach(ana)
    assert not notifier.can_reach(Recipient(username="bo", fields={"phone": "7712345678"}))
    (sent,) = notifier.send(iter([Message(id="1", purpose=Purpose.INVITE, recipient=ana)]))
    assert (sent.message, sent.status) == ("1", SentStatus.UNKNOWN)


def test_the_http_of_the_page_tells_what_is_certain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = example("class Chat:", tmp_path)
    monkeypatch.setenv("CHAT_TOKEN", "x")
    people = [Recipient(username=name, fields={"forename": name.title()}) for name in ("ana", "bo", "cy")]
    messages = [Message(id=user.username, purpose=Purpose.INVITE, recipient=user) for user in people]
    with receiver() as server:
        server.answer = script(Answer(429), Answer(200, "{}"), Answer(422, '{"message": "nobody"}'), Answer(500))
        options = module.ChatOptions(url=server.url, token={"env": "CHAT_TOKEN"}, concurrency=1)
        notifier = module.Chat(options, Context(instance="notifiers[chat]", fields=FieldSet([])))
        sent = [str(one.status) for one in notifier.send(iter(messages))]
        notifier.close()
    assert sent == ["sent", "failed", "unknown"]
    assert server.keys == ["ana", "ana", "bo", "cy"]
    assert server.requests[0].json == {"to": "ana", "text": "Hello Ana, your username is ana."}


# -- TOML -----------------------------------------------------------------------------------------------------


def pipelines() -> list[tuple[Path, str]]:
    return [(path, block) for path in PAGES for block in blocks(path, "toml")]


@pytest.mark.parametrize(
    ("path", "block"), [pytest.param(*one, id=f"{one[0].stem}{n}") for n, one in enumerate(pipelines())]
)
def test_every_pipeline_is_right(path: Path, block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tomllib.loads(block)
    if not block.startswith("name ="):
        return
    here = tmp_path / "here"
    _make_what_it_refers_to(block, data, here)
    for name in re.findall(r'env = "(\w+)"', block):
        monkeypatch.setenv(name, "Sesame-Meadow-7")
    for profile in (None, *data.get("profiles", ())):
        assert load_pipeline(here / "acme.toml", profile=profile, external_plugins=False).warnings == ()


def _make_what_it_refers_to(block: str, data: dict[str, Any], here: Path) -> None:
    uses = re.findall(r'\buse = "([^"]+)"', block)
    used = [text for text in plugins_of(*PLUGIN_PAGES) if any(f'"{use}"' in text for use in uses)]
    files = {name: used.pop() for name in data.get("plugins", ())}
    files |= dict.fromkeys(re.findall(r'file = "([^"]+)"', block), "Sesame-Meadow-7")
    files |= {data["extends"]: 'name = "base"'} if isinstance(data.get("extends"), str) else {}
    here.mkdir()
    for name, text in {**files, "acme.toml": block}.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(text, encoding="utf-8")


# -- links ----------------------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_link_is_dead(path: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)]+)\)", prose):
        file, _, anchor = target.partition("#")
        if target.startswith("http"):
            continue
        other = path if not file else path.parent / file
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


def test_the_page_on_architecture_names_every_room_and_none_that_is_not_there() -> None:
    text = page("architecture.md")
    sources = [ROOT / "core" / "musterroll", ROOT / "plugins" / "musterroll_plugins", ROOT / "cli" / "musterroll_cli"]
    rooms = {f"{one.name}/" for folder in sources for one in folder.iterdir() if (one / "__init__.py").is_file()}
    assert {room for room in rooms if f"{room}`" not in text and f"{room})" not in text} == set()
    paths = [path.as_posix() for path in ROOT.rglob("*") if not {".venv", ".git", "site"} & set(path.parts)]
    named = set(re.findall(r"`([a-z_/]+(?:\.py|\.toml|/))`", text))
    assert {name for name in named if not any(path.endswith(f"/{name.rstrip('/')}") for path in paths)} == set()
