"""What a directory's schema has: attributes, object classes, and what these insist on (RFC 4512, 4.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from musterroll_plugins.backends.ldap.connection import Connection

_NAMES = re.compile(r"NAME\s+(?:'([^']+)'|\(([^)]*)\))")
_SYNTAX = re.compile(r"SYNTAX\s+'?([0-9.]+)")
_LISTED = re.compile(r"[\w.-]+")


_SYNTAXES = "1.3.6.1.4.1.1466.115.121.1."
PRINTABLE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'()+,-./:? =\"")
_FITS: dict[str, tuple[Callable[[str], bool], str]] = {
    "26": (str.isascii, "plain letters only, without accents (ASCII)"),
    "44": (PRINTABLE.issuperset, "plain letters, digits and a few signs only"),
    "50": (PRINTABLE.issuperset, "digits and a few signs only"),
    "36": (lambda text: text.isascii() and text.replace(" ", "").isdigit(), "digits only"),
    "27": (lambda text: re.fullmatch(r"-?(0|[1-9][0-9]*)", text) is not None, "whole numbers only"),
    "7": (lambda text: text in ("TRUE", "FALSE"), "TRUE and FALSE only"),
}


class Schema:
    """The schema that holds for a part of a directory.

    Args:
        attributes: the definitions of attributes.
        classes: the definitions of object classes.
    """

    def __init__(self, attributes: Iterable[bytes], classes: Iterable[bytes]) -> None:
        self._spelling: dict[str, str] = {}  # other names of an attribute, to its first
        self._syntaxes: dict[str, str] = {}  # of an attribute, or the attribute that it is like
        self._classes: dict[str, str] = {}
        for definition in map(_text, attributes):
            names = _names(definition)
            if found := _SYNTAX.search(definition):
                self._syntaxes.update((name, found[1]) for name in names)
            elif above := _listed(definition, "SUP"):
                self._syntaxes.update((name, above[0]) for name in names)
            self._spelling.update((name, names[0]) for name in names)
        for definition in map(_text, classes):
            self._classes.update((name, definition) for name in _names(definition))

    @classmethod
    def read(cls, connection: Connection, dn: str) -> Schema | None:
        """Reads the schema; None where it is not shown.

        Raises:
            ldap.LDAPError: the server refuses it.
        """
        found = connection.read(dn, ["attributeTypes", "objectClasses"], "(objectClass=subschema)")
        if found is None or "attributetypes" not in found.entry:
            return None
        return cls(found.entry["attributetypes"], found.entry.get("objectclasses", ()))

    def missing_attributes(self, names: Iterable[str]) -> list[str]:
        """Returns those that it does not have."""
        return [name for name in dict.fromkeys(names) if name.partition(";")[0].lower() not in self._spelling]

    def missing_classes(self, names: Iterable[str]) -> list[str]:
        """Returns those that it does not have."""
        return [name for name in dict.fromkeys(names) if name.lower() not in self._classes]

    def wanted(self, classes: Iterable[str], given: Iterable[str]) -> list[str]:
        """Returns the attributes that object classes insist on and that are not given."""
        have = {self._first(name) for name in (*given, "objectClass")}
        wanted: dict[str, None] = {}
        left, seen = [name.lower() for name in classes], set[str]()
        while left:
            name = left.pop()
            definition = self._classes.get(name)
            if definition is None or name in seen:
                continue
            seen.add(name)
            left += _listed(definition, "SUP")
            wanted.update(dict.fromkeys(_listed(definition, "MUST")))
        return [name for name in wanted if self._first(name) not in have]

    def syntax(self, name: str) -> str:
        """Returns the number of the syntax of an attribute's values; empty where that is not said."""
        seen = set[str]()
        while (found := self._syntaxes.get(name.lower(), "")) and not found[0].isdigit() and found not in seen:
            seen.add(found)
            name = found
        return found

    def names_entries(self, attribute: str) -> bool:
        """Whether the values of an attribute are names of entries."""
        return self.syntax(attribute) == f"{_SYNTAXES}12"

    def unfit(self, attribute: str, value: str) -> str | None:
        """Says what an attribute takes, where a value is none of it."""
        fits, what = _FITS.get(self.syntax(attribute).removeprefix(_SYNTAXES), (None, ""))
        return None if fits is None or fits(value) else what

    def _first(self, name: str) -> str:
        return self._spelling.get(name.lower(), name.lower())


def _text(definition: bytes) -> str:
    return definition.decode("utf-8", "replace")


def _names(definition: str) -> Sequence[str]:
    found = _NAMES.search(definition)
    if found is None:
        return ()
    return [name.lower() for name in ([found[1]] if found[1] else re.findall(r"'([^']+)'", found[2]))]


def _listed(definition: str, word: str) -> list[str]:
    """Returns what stands behind a word: one name, or several in parentheses."""
    found = re.search(rf"\b{word}\s+(?:\(([^)]*)\)|([\w.-]+))", definition)
    return [name.lower() for name in _LISTED.findall(found[1] or found[2])] if found else []
