"""musterroll imports users in bulk from spreadsheets into a portal.

This module holds everything that a plugin author needs.
"""

from __future__ import annotations

from musterroll.errors import (
    BackendError,
    BackendUnavailableError,
    MusterrollError,
    NotifierError,
    SourceError,
)
from musterroll.model.cells import (
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
from musterroll.model.drafts import Draft, DraftColumn
from musterroll.model.fields import Field, FieldSet
from musterroll.model.messages import Message, Purpose, Recipient, Sent, SentStatus
from musterroll.model.operations import (
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
from musterroll.model.rows import Origin, Row, Value
from musterroll.model.source import Source
from musterroll.model.users import (
    Capabilities,
    Desired,
    Existing,
    Group,
    GroupPath,
    Matching,
    UserKey,
    fold_path,
)
from musterroll.placeholders import Template
from musterroll.plugin.components import (
    CommandType,
    Component,
    GroupResolverType,
    NotifierType,
    ReaderType,
    UserBackendType,
    ValidatorType,
)
from musterroll.plugin.context import Context
from musterroll.plugin.hookspecs import hookimpl
from musterroll.plugin.options import FilePath, Options, SecretRef, Surroundings
from musterroll.plugin.roles import (
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
from musterroll.problems import Problem, Severity
from musterroll.pump import Pump
from musterroll.secret import Secret
from musterroll.text import fold

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
