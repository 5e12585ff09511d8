"""Files that only their owner reads, written whole or not at all."""

from __future__ import annotations

import json
import os
import re
import secrets
from pathlib import Path
from typing import Any, BinaryIO

ID = re.compile(r"[0-9a-f]{20}")
"""What an id of ours looks like. Nothing else comes near a path."""


def new_id() -> str:
    """Makes an id that nobody guesses."""
    return secrets.token_hex(10)


def make_folder(folder: Path) -> Path:
    """Makes a folder for its owner only, with those above it; returns it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def open_new(path: Path) -> BinaryIO:
    """Opens a file that is not there yet, for its owner only, to be written."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON file in one step: who reads it meanwhile gets the former one."""
    _replace(path, json.dumps(value, default=str).encode())


def _replace(path: Path, content: bytes) -> None:
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with open_new(new) as file:
        file.write(content)
    new.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """Reads a JSON file of ours; None where there is none, or it is no object."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def key_in(path: Path, size: int) -> bytes:
    """The key that a file holds, of so many bytes; made where there is none, or no such one."""
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        found = b""
    if len(found) != size:
        found = secrets.token_bytes(size)
        _replace(path, found)
    return found
