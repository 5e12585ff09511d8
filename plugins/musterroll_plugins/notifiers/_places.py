"""Folders that messages are written into."""

from __future__ import annotations

import os
from pathlib import Path

from musterroll import NotifierError


def writable_folder(folder: Path) -> Path:
    """Returns the folder, which need not be there yet, if something can be written into it. Nothing is written.

    Raises:
        NotifierError: nothing can.
    """
    existing = next((one for one in (folder, *folder.parents) if one.exists()), folder)
    if not existing.is_dir():
        raise NotifierError(f"{existing} is no folder; nothing can be written into {folder}")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise NotifierError(f"nothing can be written into {folder}; look at the permissions of {existing}")
    return folder
