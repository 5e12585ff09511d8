from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import musterroll
from musterroll import engine

# What plugin authors import. A name that is taken away or changed breaks their plugins: that needs a new major
# version. A new name is added here.
PUBLIC = """
FieldName FilePath SecretRef Secret Options Surroundings Context Component Field FieldSet FieldType Template
Mistake MusterrollError PipelineError clean did_you_mean fold fold_heading hookimpl is_one_slip known_field nearest

ReaderType Reader Sheet SheetWriter Source SourceError Confidence OtherFormat AmbiguousWorksheetError SheetInfo SheetRow
SheetEditor SheetEdits CellEdit CellLink FrontRow FrontSheet is_front_worksheet
Block ReadsBlocks takes_plain_way Cell CellColumns TextCell NumberCell DateCell BoolCell ErrorCell FormulaCell
Draft DraftColumn PLAIN_FORMATS column_letter

TransformType Transform DateForm DateFormText PlainDateFormText ISO_DATE ascii_text title_text

ValidatorType RowValidator SheetValidator ProvesRows GuidesPeople Guidance Batch GroupResolverType GroupResolver
ResolvesBatches WritesGroups Row Value Origin Problem Severity
GroupPath INVISIBLE calling_code_of counted fold_path fraction gettext gettext_noop language ngettext ngettext_noop
one_number split_whole term
rule sheet_rule group_rule Condition Conditions PatternText matcher

UserBackendType UserBackend Capabilities Matching Desired Existing Group UserKey UserRef GroupRef Op
CreateUser UpdateUser Deactivate Reactivate DeleteUser CreateGroup DeleteGroup AddMembers RemoveMembers SendInvite
Result Status BackendError BackendUnavailableError Examinable ChecksUsers Objection SqliteFormat ComparesUsers Wanted
TellsState ListsUsers ProvesUsers
SimpleBackend Taken Refused Gone NoAnswer Busy

NotifierType Notifier KeepsMessages Message Purpose Recipient Sent SentStatus NotifierError

CommandType UsageError
"""
PAGE = Path(__file__).parents[2] / "docs" / "plugins" / "README.md"


def groups() -> dict[str, set[str]]:
    """The names by who needs them, which is the comment above each list."""
    source = inspect.getsource(musterroll)
    lines = source.splitlines()
    return {
        lines[node.lineno - 2].removeprefix("# "): set(ast.literal_eval(node.value))
        for node in ast.parse(source).body
        if isinstance(node, ast.AugAssign)
        or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__")
    }


def test_the_public_names_are_these() -> None:
    assert list(groups().values()) == [set(names.split()) for names in PUBLIC.strip().split("\n\n")]
    assert len(musterroll.__all__) == len(set(musterroll.__all__)) == len(PUBLIC.split())


def test_the_page_on_plugins_lists_them_likewise() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("| who needs it | names |\n|---|---|\n")[2].partition("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()]
    assert {who: set(re.findall(r"`(\w+)`", names)) for who, names in rows} == groups()


def test_every_name_is_there() -> None:
    assert [name for name in musterroll.__all__ if not hasattr(musterroll, name)] == []


def test_everything_that_the_module_brings_in_is_public() -> None:
    tree = ast.parse(inspect.getsource(musterroll))
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("musterroll")
        for alias in node.names
    }
    assert imported == set(musterroll.__all__)


def homes(module: ModuleType) -> dict[str, str | None]:
    """Where the type checker finds the names of a module."""
    return {
        alias.name: node.module
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("musterroll")
        for alias in node.names
    }


def test_each_name_is_found_where_the_type_checker_finds_it() -> None:
    assert homes(musterroll) == musterroll._HOME
    assert {*musterroll._HOME, "__version__"} == {*musterroll.__all__, "__version__"} == set(dir(musterroll))
    assert all(hasattr(musterroll, name) for name in musterroll.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        musterroll.nothing  # noqa: B018


def test_the_engine_finds_each_of_its_names_where_the_type_checker_does() -> None:
    found = {name: f"musterroll.{home}" for name, home in engine._HOME.items()}
    assert found == homes(engine)
    assert {*found, "MEMBERS"} == set(engine.__all__) == set(dir(engine))
    assert all(hasattr(engine, name) for name in engine.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        engine.nothing  # noqa: B018


def test_what_stands_on_the_core_is_loaded_when_it_is_asked_for() -> None:
    code = "import sys, musterroll; print('musterroll_simple' in sys.modules); musterroll.SimpleBackend; "
    code += "print('musterroll_simple' in sys.modules, 'asyncio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "False"]
