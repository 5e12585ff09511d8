"""What a plugin can be. Structural types: a class that has the methods plays the role.

Methods may raise anything; the engine names the instance, the stage and the row. Where the person is at
fault, yield `Problem`s instead; where the portal is, answer with a `Result` or raise `BackendError`.
"""

from musterroll.contract.roles.backends import (
    ChecksUsers,
    ComparesUsers,
    Examinable,
    ListsUsers,
    ProvesUsers,
    TellsState,
    UserBackend,
)
from musterroll.contract.roles.notifiers import (
    KeepsMessages,
    Notifier,
)
from musterroll.contract.roles.readers import (
    AmbiguousWorksheetError,
    Confidence,
    OtherFormat,
    Reader,
    ReadsBlocks,
    Sheet,
    SheetEditor,
    SheetWriter,
)
from musterroll.contract.roles.rules import (
    GroupResolver,
    GuidesPeople,
    ProvesRows,
    ResolvesBatches,
    RowValidator,
    SheetValidator,
    Transform,
    WritesGroups,
)

__all__ = [
    "AmbiguousWorksheetError",
    "ChecksUsers",
    "ComparesUsers",
    "Confidence",
    "Examinable",
    "GroupResolver",
    "GuidesPeople",
    "KeepsMessages",
    "ListsUsers",
    "Notifier",
    "OtherFormat",
    "ProvesRows",
    "ProvesUsers",
    "Reader",
    "ReadsBlocks",
    "ResolvesBatches",
    "RowValidator",
    "Sheet",
    "SheetEditor",
    "SheetValidator",
    "SheetWriter",
    "TellsState",
    "Transform",
    "UserBackend",
    "WritesGroups",
]
