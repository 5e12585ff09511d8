"""musterroll imports users in bulk from spreadsheets into a portal.

This module holds everything that a plugin author needs, by who needs it (below, and in docs/plugins).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from musterroll.contract.batch import Batch
    from musterroll.contract.cells import (
        PLAIN_FORMATS,
        Block,
        BoolCell,
        Cell,
        CellColumns,
        DateCell,
        ErrorCell,
        FormulaCell,
        NumberCell,
        SheetInfo,
        SheetRow,
        TextCell,
    )
    from musterroll.contract.components import (
        CommandType,
        Component,
        GroupResolverType,
        NotifierType,
        ReaderType,
        TransformType,
        UserBackendType,
        ValidatorType,
    )
    from musterroll.contract.conditions import Condition, Conditions
    from musterroll.contract.context import Context
    from musterroll.contract.dates import ISO_DATE, DateForm, DateFormText, PlainDateFormText
    from musterroll.contract.decorators import group_rule, rule, sheet_rule
    from musterroll.contract.drafts import Draft, DraftColumn, Guidance
    from musterroll.contract.edits import CellEdit, CellLink, FrontRow, FrontSheet, SheetEdits, is_front_worksheet
    from musterroll.contract.fields import Field, FieldSet, FieldType
    from musterroll.contract.filters import ascii_text, title_text
    from musterroll.contract.messages import Message, Purpose, Recipient, Sent, SentStatus
    from musterroll.contract.operations import (
        AddMembers,
        CreateGroup,
        CreateUser,
        Deactivate,
        DeleteGroup,
        DeleteUser,
        GroupRef,
        Op,
        Reactivate,
        RemoveMembers,
        Result,
        SendInvite,
        Status,
        UpdateUser,
        UserRef,
    )
    from musterroll.contract.options import FieldName, FilePath, Options, SecretRef, Surroundings, known_field
    from musterroll.contract.patterns import PatternText, matcher
    from musterroll.contract.phones import calling_code_of, one_number, split_whole
    from musterroll.contract.plain import takes_plain_way
    from musterroll.contract.problems import Problem, Severity
    from musterroll.contract.roles import (
        AmbiguousWorksheetError,
        ChecksUsers,
        ComparesUsers,
        Confidence,
        Examinable,
        GroupResolver,
        GuidesPeople,
        KeepsMessages,
        ListsUsers,
        Notifier,
        OtherFormat,
        ProvesRows,
        ProvesUsers,
        Reader,
        ReadsBlocks,
        ResolvesBatches,
        RowValidator,
        Sheet,
        SheetEditor,
        SheetValidator,
        SheetWriter,
        TellsState,
        Transform,
        UserBackend,
        WritesGroups,
    )
    from musterroll.contract.rows import Origin, Row, Value
    from musterroll.contract.secret import Secret
    from musterroll.contract.source import Source
    from musterroll.contract.sqlite import SqliteFormat
    from musterroll.contract.templates import Template
    from musterroll.contract.terms import term
    from musterroll.contract.text import (
        INVISIBLE,
        clean,
        column_letter,
        did_you_mean,
        fold,
        fold_heading,
        is_one_slip,
        nearest,
    )
    from musterroll.contract.translation import (
        counted,
        fraction,
        gettext,
        gettext_noop,
        language,
        ngettext,
        ngettext_noop,
    )
    from musterroll.contract.users import (
        Capabilities,
        Desired,
        Existing,
        Group,
        GroupPath,
        Matching,
        Objection,
        UserKey,
        Wanted,
        fold_path,
    )
    from musterroll.errors import (
        BackendError,
        BackendUnavailableError,
        Mistake,
        MusterrollError,
        NotifierError,
        PipelineError,
        SourceError,
        UsageError,
    )
    from musterroll.registry.hookspecs import hookimpl
    from musterroll_simple import Busy, Gone, NoAnswer, Refused, SimpleBackend, Taken

__version__ = "0.1.0"

# every plugin
__all__ = [
    "Component",
    "Context",
    "Field",
    "FieldName",
    "FieldSet",
    "FieldType",
    "FilePath",
    "Mistake",
    "MusterrollError",
    "Options",
    "PipelineError",
    "Secret",
    "SecretRef",
    "Surroundings",
    "Template",
    "clean",
    "did_you_mean",
    "fold",
    "fold_heading",
    "hookimpl",
    "is_one_slip",
    "known_field",
    "nearest",
]
# a reader, or a writer of sheets
__all__ += [
    "PLAIN_FORMATS",
    "AmbiguousWorksheetError",
    "Block",
    "BoolCell",
    "Cell",
    "CellColumns",
    "CellEdit",
    "CellLink",
    "Confidence",
    "DateCell",
    "Draft",
    "DraftColumn",
    "ErrorCell",
    "FormulaCell",
    "FrontRow",
    "FrontSheet",
    "NumberCell",
    "OtherFormat",
    "Reader",
    "ReaderType",
    "ReadsBlocks",
    "Sheet",
    "SheetEditor",
    "SheetEdits",
    "SheetInfo",
    "SheetRow",
    "SheetWriter",
    "Source",
    "SourceError",
    "TextCell",
    "column_letter",
    "is_front_worksheet",
    "takes_plain_way",
]
# a transform
__all__ += [
    "ISO_DATE",
    "DateForm",
    "DateFormText",
    "PlainDateFormText",
    "Transform",
    "TransformType",
    "ascii_text",
    "title_text",
]
# a rule: a validator, or a group resolver
__all__ += [
    "INVISIBLE",
    "Batch",
    "Condition",
    "Conditions",
    "GroupPath",
    "GroupResolver",
    "GroupResolverType",
    "Guidance",
    "GuidesPeople",
    "Origin",
    "PatternText",
    "Problem",
    "ProvesRows",
    "ResolvesBatches",
    "Row",
    "RowValidator",
    "Severity",
    "SheetValidator",
    "ValidatorType",
    "Value",
    "WritesGroups",
    "calling_code_of",
    "counted",
    "fold_path",
    "fraction",
    "gettext",
    "gettext_noop",
    "group_rule",
    "language",
    "matcher",
    "ngettext",
    "ngettext_noop",
    "one_number",
    "rule",
    "sheet_rule",
    "split_whole",
    "term",
]
# a user backend
__all__ += [
    "AddMembers",
    "BackendError",
    "BackendUnavailableError",
    "Busy",
    "Capabilities",
    "ChecksUsers",
    "ComparesUsers",
    "CreateGroup",
    "CreateUser",
    "Deactivate",
    "DeleteGroup",
    "DeleteUser",
    "Desired",
    "Examinable",
    "Existing",
    "Gone",
    "Group",
    "GroupRef",
    "ListsUsers",
    "Matching",
    "NoAnswer",
    "Objection",
    "Op",
    "ProvesUsers",
    "Reactivate",
    "Refused",
    "RemoveMembers",
    "Result",
    "SendInvite",
    "SimpleBackend",
    "SqliteFormat",
    "Status",
    "Taken",
    "TellsState",
    "UpdateUser",
    "UserBackend",
    "UserBackendType",
    "UserKey",
    "UserRef",
    "Wanted",
]
# a notifier
__all__ += [
    "KeepsMessages",
    "Message",
    "Notifier",
    "NotifierError",
    "NotifierType",
    "Purpose",
    "Recipient",
    "Sent",
    "SentStatus",
]
# a command
__all__ += [
    "CommandType",
    "UsageError",
]

# A module is imported when a name of it is asked for. What stands on the core the core itself never asks for.
_MODULES = {
    "contract.batch": "Batch",
    "contract.cells": (
        "PLAIN_FORMATS Block BoolCell Cell CellColumns DateCell "
        "ErrorCell FormulaCell NumberCell SheetInfo SheetRow TextCell"
    ),
    "contract.components": (
        "CommandType Component GroupResolverType NotifierType ReaderType TransformType UserBackendType ValidatorType"
    ),
    "contract.conditions": "Condition Conditions",
    "contract.context": "Context",
    "contract.dates": "ISO_DATE DateForm DateFormText PlainDateFormText",
    "contract.decorators": "group_rule rule sheet_rule",
    "contract.drafts": "Draft DraftColumn Guidance",
    "contract.edits": "CellEdit CellLink FrontRow FrontSheet SheetEdits is_front_worksheet",
    "contract.fields": "Field FieldSet FieldType",
    "contract.filters": "ascii_text title_text",
    "contract.messages": "Message Purpose Recipient Sent SentStatus",
    "contract.operations": (
        "AddMembers CreateGroup CreateUser Deactivate DeleteGroup DeleteUser GroupRef "
        "Op Reactivate RemoveMembers Result SendInvite Status UpdateUser UserRef"
    ),
    "contract.options": "FieldName FilePath Options SecretRef Surroundings known_field",
    "contract.patterns": "PatternText matcher",
    "contract.phones": "calling_code_of one_number split_whole",
    "contract.plain": "takes_plain_way",
    "contract.problems": "Problem Severity",
    "contract.roles": (
        "AmbiguousWorksheetError ChecksUsers ComparesUsers Confidence Examinable GroupResolver GuidesPeople "
        "KeepsMessages ListsUsers Notifier OtherFormat ProvesRows ProvesUsers Reader ReadsBlocks ResolvesBatches "
        "RowValidator Sheet SheetEditor SheetValidator SheetWriter TellsState Transform UserBackend WritesGroups"
    ),
    "contract.rows": "Origin Row Value",
    "contract.secret": "Secret",
    "contract.source": "Source",
    "contract.sqlite": "SqliteFormat",
    "contract.templates": "Template",
    "contract.terms": "term",
    "contract.text": "INVISIBLE clean column_letter did_you_mean fold fold_heading is_one_slip nearest",
    "contract.translation": "counted fraction gettext gettext_noop language ngettext ngettext_noop",
    "contract.users": "Capabilities Desired Existing Group GroupPath Matching Objection UserKey Wanted fold_path",
    "errors": (
        "BackendError BackendUnavailableError Mistake MusterrollError "
        "NotifierError PipelineError SourceError UsageError"
    ),
    "registry.hookspecs": "hookimpl",
}
_HOME = {
    **{name: f"musterroll.{module}" for module, names in _MODULES.items() for name in names.split()},
    **dict.fromkeys(("Busy", "Gone", "NoAnswer", "Refused", "SimpleBackend", "Taken"), "musterroll_simple"),
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOME[name]), name)
    return found


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
