"""musterroll imports users in bulk from spreadsheets into a portal.

This module holds everything that a plugin author needs, by who needs it (below, and in docs/plugins).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from musterroll.contract.batch import Batch
from musterroll.contract.cells import (
    PLAIN_FORMATS,
    Block,
    BoolCell,
    Cell,
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
    UserBackendType,
    ValidatorType,
)
from musterroll.contract.conditions import Condition, Conditions
from musterroll.contract.context import Context
from musterroll.contract.decorators import group_rule, rule, sheet_rule
from musterroll.contract.drafts import Draft, DraftColumn, Guidance
from musterroll.contract.edits import CellEdit, CellLink, FrontRow, FrontSheet, SheetEdits, is_front_worksheet
from musterroll.contract.fields import Field, FieldSet
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
from musterroll.contract.options import FieldName, FilePath, Options, SecretRef, Surroundings
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
    Notifier,
    OtherFormat,
    ProvesRows,
    Reader,
    ReadsBlocks,
    ResolvesBatches,
    RowValidator,
    Sheet,
    SheetEditor,
    SheetValidator,
    SheetWriter,
    UserBackend,
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
from musterroll.contract.translation import counted, gettext, gettext_noop, language, ngettext, ngettext_noop
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

if TYPE_CHECKING:
    from musterroll_simple import Busy, Gone, NoAnswer, Refused, SimpleBackend, Taken

__version__ = "0.1.0"

# every plugin
__all__ = [
    "Component",
    "Context",
    "Field",
    "FieldName",
    "FieldSet",
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
    "nearest",
]
# a reader, or a writer of sheets
__all__ += [
    "PLAIN_FORMATS",
    "AmbiguousWorksheetError",
    "Block",
    "BoolCell",
    "Cell",
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
    "calling_code_of",
    "counted",
    "fold_path",
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
    "Matching",
    "NoAnswer",
    "Objection",
    "Op",
    "Reactivate",
    "Refused",
    "RemoveMembers",
    "Result",
    "SendInvite",
    "SimpleBackend",
    "SqliteFormat",
    "Status",
    "Taken",
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

# What the core itself never needs: it stands on the core, and is loaded when it is asked for.
_BESIDE_THE_CORE = dict.fromkeys(("Busy", "Gone", "NoAnswer", "Refused", "SimpleBackend", "Taken"), "musterroll_simple")


def __getattr__(name: str) -> object:
    if name not in _BESIDE_THE_CORE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 -- only here

    return getattr(import_module(_BESIDE_THE_CORE[name]), name)
