from __future__ import annotations

import ast
import inspect

import musterroll

# What plugin authors import. A name that is taken away or changed breaks their plugins: that needs a new major
# version. A new name is added here.
PUBLIC = [
    "AddMembers",
    "AmbiguousWorksheetError",
    "BackendError",
    "BackendUnavailableError",
    "BoolCell",
    "Capabilities",
    "Cell",
    "CommandType",
    "Component",
    "Confidence",
    "Context",
    "CreateGroup",
    "CreateUser",
    "DateCell",
    "Deactivate",
    "DeleteGroup",
    "DeleteUser",
    "Desired",
    "Draft",
    "DraftColumn",
    "ErrorCell",
    "Examinable",
    "Existing",
    "Field",
    "FieldSet",
    "FilePath",
    "FormulaCell",
    "Group",
    "GroupPath",
    "GroupRef",
    "GroupResolver",
    "GroupResolverType",
    "Matching",
    "Message",
    "MusterrollError",
    "Notifier",
    "NotifierError",
    "NotifierType",
    "NumberCell",
    "Op",
    "Options",
    "Origin",
    "Problem",
    "Pump",
    "Purpose",
    "Reactivate",
    "Reader",
    "ReaderType",
    "Recipient",
    "RemoveMembers",
    "Result",
    "Row",
    "RowValidator",
    "Secret",
    "SecretRef",
    "SendInvite",
    "Sent",
    "SentStatus",
    "Severity",
    "Sheet",
    "SheetInfo",
    "SheetRow",
    "SheetValidator",
    "SheetWriter",
    "Source",
    "SourceError",
    "SqliteFormat",
    "Status",
    "Surroundings",
    "Template",
    "TextCell",
    "UpdateUser",
    "UserBackend",
    "UserBackendType",
    "UserKey",
    "UserRef",
    "ValidatorType",
    "Value",
    "fold",
    "fold_path",
    "hookimpl",
]


def test_the_public_names_are_these() -> None:
    assert musterroll.__all__ == PUBLIC
    assert sorted(musterroll.__all__) == musterroll.__all__


def test_every_name_is_there() -> None:
    assert [name for name in musterroll.__all__ if not hasattr(musterroll, name)] == []


def test_everything_that_the_module_brings_in_is_public() -> None:
    tree = ast.parse(inspect.getsource(musterroll))
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for alias in node.names
    }
    assert imported == set(musterroll.__all__)
