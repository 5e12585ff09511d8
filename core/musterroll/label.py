"""How an instance of a plugin is called, in messages and by the journal."""

from __future__ import annotations

from typing import Self


class Label(str):
    """An instance as the person knows it, e.g. `validators[corporate-mail]`, that also knows whose it is.

    Attributes:
        by: the plugin that brings it, e.g. `acme 1.0` or `rules.py`; empty where that is not known.
    """

    __slots__ = ("by",)
    by: str

    def __new__(cls, text: str, by: str = "") -> Self:
        """Makes a label."""
        label = super().__new__(cls, text)
        label.by = by
        return label
