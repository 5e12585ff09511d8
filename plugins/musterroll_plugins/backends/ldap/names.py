"""Names of entries: made of values that may hold anything, and compared."""

from __future__ import annotations

import re
from collections.abc import Mapping

import ldap.dn
import ldap.filter

from musterroll import Template

_RDN = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*)\s*=\s*(.+)", re.DOTALL)


_MARK = "\0"


class Made:
    """A value that is made of fields; what is blank leaves no gap.

    Args:
        template: what it is made of.

    Attributes:
        names: the fields.
    """

    def __init__(self, template: Template) -> None:
        self.names = template.names
        # Texts and names in turn, as this is done several times for every user.
        pieces = template.fill({name: f"{_MARK}{name}{_MARK}" for name in template.names}).split(_MARK)
        self._pieces = [(piece, bool(at % 2)) for at, piece in enumerate(pieces) if piece]

    def of(self, fields: Mapping[str, str | None]) -> str:
        """Makes it."""
        text = "".join([(fields.get(piece) or "") if is_name else piece for piece, is_name in self._pieces])
        return " ".join(text.split()) if " " in text else text.strip()


class NameTemplate:
    """How entries are named, as `uid={username}`.

    Attributes:
        attribute: the naming attribute.
        made: what its value is made of.
    """

    def __init__(self, text: str) -> None:
        found = _RDN.fullmatch(text)
        assert found is not None, "the options have been checked"
        self.attribute, self.made = found[1], Made(Template(found[2]))

    def value(self, fields: Mapping[str, str | None]) -> str:
        """Returns the naming value of a user; that is the username where nothing else comes of it."""
        return self.made.of(fields) or str(fields["username"])


def rdn(attribute: str, value: str) -> str:
    """Makes the first part of an entry's name."""
    return f"{attribute}={value if value.isalnum() else ldap.dn.escape_dn_chars(value)}"


def child(name: str, parent: str) -> str:
    """Makes the name of an entry below another."""
    return f"{name},{parent}"


def split(dn: str) -> tuple[str, str]:
    """Returns the first part of a name, and the name of the entry above."""
    parts = ldap.dn.explode_dn(dn)
    return parts[0], ",".join(parts[1:])


def first_value(dn: str) -> str:
    """Returns the value that an entry is named by."""
    return str(ldap.dn.str2dn(dn)[0][0][1])


def comparable(dn: str) -> str:
    """Returns a name in the one spelling by which it is compared.

    Case and spaces do not count. Nothing more is folded: `straße` and `strasse` are two entries.
    """
    if "\\" not in dn and ", " not in dn and " =" not in dn and '"' not in dn and "= " not in dn:
        return dn.lower()
    try:
        parts = ldap.dn.str2dn(dn)
    except ldap.DECODING_ERROR:
        return dn.lower()
    return ",".join(
        "+".join(sorted(f"{attribute}={ldap.dn.escape_dn_chars(value.strip())}" for attribute, value, _ in part))
        for part in parts
    ).lower()


def is_below(dn: str, parent: str) -> bool:
    """Whether an entry is the other one or below it."""
    dn, parent = comparable(dn), comparable(parent)
    return dn == parent or dn.endswith("," + parent)


def equals(attribute: str, value: str) -> str:
    """Makes the filter that finds the entries with a value."""
    return f"({attribute}={ldap.filter.escape_filter_chars(value)})"


def both(*filters: str) -> str:
    """Makes the filter that finds what all of the filters find."""
    return f"(&{''.join(filters)})"
