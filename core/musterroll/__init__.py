"""musterroll imports users in bulk from spreadsheets into a portal.

This module holds everything that a plugin author needs.
"""

from __future__ import annotations

from musterroll.contract.cells import (
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
from musterroll.contract.context import Context
from musterroll.contract.drafts import Draft, DraftColumn
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
from musterroll.contract.options import FilePath, Options, SecretRef, Surroundings
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.pump import Pump
from musterroll.contract.roles import (
    AmbiguousWorksheetError,
    Confidence,
    Examinable,
    GroupResolver,
    Notifier,
    Reader,
    RowValidator,
    Sheet,
    SheetValidator,
    SheetWriter,
    UserBackend,
)
from musterroll.contract.rows import Origin, Row, Value
from musterroll.contract.secret import Secret
from musterroll.contract.source import Source
from musterroll.contract.sqlite import SqliteFormat
from musterroll.contract.templates import Template
from musterroll.contract.text import fold
from musterroll.contract.users import Capabilities, Desired, Existing, Group, GroupPath, Matching, UserKey, fold_path
from musterroll.errors import (
    BackendError,
    BackendUnavailableError,
    MusterrollError,
    NotifierError,
    SourceError,
)
from musterroll.registry.hookspecs import hookimpl

__version__ = "0.1.0"

__all__ = [
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
