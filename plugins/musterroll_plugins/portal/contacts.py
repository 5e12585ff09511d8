"""E-mail addresses and telephone numbers: lists in SCIM, one of each in the directory.

What a column cannot hold is kept as JSON. There the main entry's value is null: it is in the column, where the
backend `directory` may have changed it. A list that holds nothing but the column's value in the usual form is not
kept at all.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

# Tells, inside REST and for SQL, that a user has several addresses: only the main one has a column.
SEVERAL_EMAILS = "emails+"
_SPLIT = re.compile(r"\+([0-9]{1,4}) (\S.*)")  # as `joined_phone` joins it


def take_email(rest: Json) -> str | None:
    """Takes the addresses out of a user; returns the main one, and leaves what its column cannot hold."""
    return _take(rest, "emails", SEVERAL_EMAILS)


def emails(rest: Json, email: str | None) -> list[Json]:
    """Takes out what `take_email` left, and returns the addresses."""
    kept = rest.pop("emails", None) or rest.pop(SEVERAL_EMAILS, None)
    return _with_main(kept, email)


def take_phone(rest: Json) -> tuple[str | None, str | None]:
    """Takes the numbers out of a user; returns the main one's calling code and local part, and leaves the rest."""
    value = _take(rest, "phoneNumbers", "phoneNumbers")
    if value is None:
        return None, None
    calling_code, phone = split_phone(value)
    if joined_phone(calling_code, phone) != value:
        rest["phone"] = value  # as it was typed
    return calling_code, phone


def phones(rest: Json, calling_code: str | None, phone: str | None) -> list[Json]:
    """Takes out what `take_phone` left, and returns the numbers."""
    kept, typed = rest.pop("phoneNumbers", None), rest.pop("phone", None)
    value = joined_phone(calling_code, phone)
    if typed is not None and split_phone(typed) == (calling_code, phone):
        value = typed
    return _with_main(kept, value)


def _take(rest: Json, key: str, key_of_several: str) -> str | None:
    """Returns the value of the primary entry that has one, failing that of the first one."""
    entries = rest.pop(key, None) or []
    places = [place for place, entry in enumerate(entries) if entry.get("value")]
    if not places:
        if entries:
            rest[key] = entries
        return None
    main = next((place for place in places if entries[place].get("primary")), places[0])
    value: str = entries[main]["value"]
    if entries != _usual(value):
        without = [{**entry, "value": None} if place == main else entry for place, entry in enumerate(entries)]
        rest[key_of_several if len(places) > 1 else key] = without
    return value


def _usual(value: str) -> list[Json]:
    return [{"value": value, "type": "work"}]


def _with_main(kept: list[Json] | None, value: str | None) -> list[Json]:
    if kept is None:
        return _usual(value) if value else []
    entries = []
    for entry in kept:
        if "value" in entry and entry["value"] is None:
            if value:
                entries.append({**entry, "value": value})
            value = None
        else:
            entries.append(entry)
    return [*entries, *_usual(value)] if value else entries


@lru_cache(10_000)
def split_phone(number: str) -> tuple[str | None, str | None]:
    """Splits an international number into calling code and local part; another one is a local part alone."""
    import phonenumbers  # noqa: PLC0415 -- large

    if found := _SPLIT.fullmatch(number):
        return found[1], found[2]
    if "+" not in number:
        return None, number
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None, number
    return str(parsed.country_code), phonenumbers.national_significant_number(parsed)


def joined_phone(calling_code: str | None, phone: str | None) -> str | None:
    """Joins what `split_phone` splits."""
    if not phone:
        return None
    return f"+{calling_code.removeprefix('+')} {phone}" if calling_code else phone
