"""What is wrong with a text that is no TOML, and what to write instead.

tomllib tells where it gave up, in the words of the grammar. Who edits such a file twice a year needs other ones.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from musterroll.pipeline.positions import Positions
from musterroll.pipeline.written_file import shows_secret

_AT = re.compile(r"^(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$", re.DOTALL)
_TOO_LONG = re.compile(r"\b\d{4301,}")  # more than Python reads
_ODD = re.compile("[\u00a0\u00ad\u061c\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff]")
_CURLY = re.compile("[\u2018-\u201f\u00ab\u00bb]")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_KEY_AND_VALUE = re.compile(r"""^\s*(?P<key>[\w.'"-]*)\s*=(?P<value>.*)$""")
_COMMENT = re.compile(r"\s+#.*$")
_WORDS = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
_BRACES = 'a table in braces stands on one line and ends with "}"; or write it as [name]'
_QUOTE_KEY = (
    'a setting is written KEY = VALUE; a key with other characters than letters, digits, "-" and "_" needs quotation '
    "marks"
)
_NOTHING = ("null", "none", "nil")


class TomlFault(NamedTuple):
    """What is wrong.

    Attributes:
        at: where, as an index into the text.
        message: what it is and what to do.
    """

    at: int
    message: str


def fault_of(text: str, error: ValueError) -> TomlFault:
    """Says what is wrong with a text.

    Args:
        text: as tomllib was given it, with one character at the end of a line.
        error: what tomllib raised.
    """
    if long := _TOO_LONG.search(text):
        return TomlFault(long.start(), "this number has too many digits; text needs quotation marks")
    found = _AT.match(str(error))
    what = found["what"] if found else str(error)
    at = _index(text, int(found["line"]), int(found["column"])) if found and found["line"] else len(text.rstrip())
    line_at = text.rfind("\n", 0, at) + 1
    line = text[line_at:].partition("\n")[0]
    return (
        _strange_character(text, line, line_at)
        or _repeated(text, what, at)
        or _unclosed(text, what, at, line)
        or _in_text(text, what, at, line_at)
        or _head(line, line_at)
        or _key(what, line, line_at, at)
        or _value(what, line, line_at)
        or TomlFault(at, what[:1].lower() + what[1:])
    )


def _index(text: str, line: int, column: int) -> int:
    at = 0
    for _ in range(line - 1):
        at = text.find("\n", at) + 1
    return at + column - 1


def _strange_character(text: str, line: str, line_at: int) -> TomlFault | None:
    if "\r" in text:
        return TomlFault(
            text.index("\r"), "a line ends as on old Macs; save the file with the line ends of Windows or Unix"
        )
    bare = _COMMENT.sub("", line)
    if found := _ODD.search(bare):
        message = f"an invisible character (U+{ord(found.group()):04X}) stands here; delete it, or type a space"
        return TomlFault(line_at + found.start(), message)
    if found := _CURLY.search(bare):
        before = bare[: found.start()].rstrip()
        if before.endswith(("=", "[", ",", "{")):  # else they may be a part of the text
            return TomlFault(line_at + found.start(), 'write straight quotation marks: "…"')
    return None


def _repeated(text: str, what: str, at: int) -> TomlFault | None:
    if what.startswith(("Cannot overwrite", "Cannot declare", "Duplicate", "Cannot mutate")):
        repeated = Positions(text).repeated
        if repeated is not None:
            second, first = repeated
            kind = "table" if text.startswith("[", second) else "key"
            line = text.count("\n", 0, first) + 1
            return TomlFault(second, f"this {kind} is there already, in line {line}; put both into one")
        return TomlFault(at, "a part of this name is something else already, further up")
    return None


def _unclosed(text: str, what: str, at: int, line: str) -> TomlFault | None:
    opening = Positions(text).open_at
    if opening is None:
        return None
    is_table = text[opening] == "{"
    starts_anew = "\n" in text[opening:at] and _KEY_AND_VALUE.match(line)
    if is_table and ("\n" in text[opening:at] or line.rstrip().endswith("{") or what.startswith("Unclosed")):
        return TomlFault(opening, _BRACES)
    if not is_table and (what.startswith("Unclosed") or at >= len(text.rstrip()) or starts_anew):
        return TomlFault(opening, 'this "[" is not closed; write "]" behind the last element, and commas between them')
    return None


def _in_text(text: str, what: str, at: int, line_at: int) -> TomlFault | None:
    if what.startswith(("Unterminated string", "Illegal character '\\n'", 'Expected "')):
        long = max(text.rfind('"""', 0, at), text.rfind("'''", 0, at))
        opening = long if long >= 0 and what.startswith("Unterminated") else _opening(text, line_at, at)
        return TomlFault(opening, "the quotation mark is not closed")
    if what.startswith(("Illegal character", "Found invalid character")):
        return TomlFault(at, "a control character stands here; delete it")
    if what.startswith(("Invalid hex", "Unescaped", "Escaped character", "Invalid escape")):
        return TomlFault(
            at, "a \\ in quotation marks has a meaning of its own; write '…' instead of \"…\", or \\\\ for each"
        )
    return None


def _opening(text: str, line_at: int, at: int) -> int:
    marks = [text.find(mark, line_at, at) for mark in "\"'"]
    return min((mark for mark in marks if mark >= 0), default=at)


def _head(line: str, line_at: int) -> TomlFault | None:
    bare = _COMMENT.sub("", line).strip()
    if not bare.startswith("["):
        return None
    name, doubled = bare.strip("[] "), bare.startswith("[[")
    start = line_at + line.index("[")
    if _NAME.fullmatch(name):
        return TomlFault(start, f"write {f'[[{name}]]' if doubled else f'[{name}]'}")
    return TomlFault(start, "a table begins with its name in brackets: [name], [[name]] for one of several")


def _key(what: str, line: str, line_at: int, at: int) -> TomlFault | None:
    rest, text_at = line[at - line_at :].strip(), line[at - line_at :][:1] or "\n"
    if what.startswith("Expected '='"):
        if rest.startswith(":"):
            return TomlFault(at, 'write "=" instead of ":"')
        if not rest or rest.startswith("#"):
            return TomlFault(at, "a setting is written KEY = VALUE; the value is missing")
        return TomlFault(at, _QUOTE_KEY)
    if what.startswith("Invalid initial character") and text_at in ("}", "\n"):
        return TomlFault(at, 'there is a comma too much before "}"' if text_at == "}" else _BRACES)
    if what == "Invalid statement" or what.startswith("Invalid initial character"):
        if rest.startswith("="):
            return TomlFault(at, 'a setting is written KEY = VALUE; the key is missing before "="')
        if rest.startswith(("//", ";", "/*", "--")):
            return TomlFault(at, 'a comment begins with "#"')
        return TomlFault(at, _QUOTE_KEY)
    return None


def _value(what: str, line: str, line_at: int) -> TomlFault | None:
    found = _KEY_AND_VALUE.match(line)
    if found is None or not what.startswith(("Invalid value", "Expected newline", "Invalid date")):
        return None
    value = _COMMENT.sub("", found["value"]).strip()
    start = line_at + found.start("value") + len(found["value"]) - len(found["value"].lstrip())
    if value.startswith(("[", "{")) and what.startswith("Expected newline"):
        return TomlFault(start, "something follows behind the closing bracket; one setting stands on a line")
    return TomlFault(start, _remedy(found["key"], value, is_secret=shows_secret(line)))


def _remedy(key: str, value: str, *, is_secret: bool) -> str:
    if not value:
        return 'the value is missing after "="'
    if value.startswith("="):
        return 'write "=" once'
    if word := _WORDS.get(value.casefold()):
        return f"write {word}, in lower case and without quotation marks"
    if value.casefold() in _NOTHING:
        return "TOML has no word for nothing; leave the key out"
    if value.startswith('"'):
        return 'something follows behind the text; write \\" for a quotation mark inside it, and one setting on a line'
    if value.startswith("'"):
        return "the text ends at the second '; write \"…\" around a text that has a ' in it, and one setting on a line"
    if value.startswith(("[", "{")):
        return "a text in a list or table needs quotation marks, as everything but numbers, true and false"
    if value.endswith((";", ",")):
        return f'nothing follows a value; leave "{value[-1]}" out'
    if is_secret or len(value) > 60 or '"' in value:
        return f'text needs quotation marks: {key} = "…"'
    mark = "'" if "\\" in value else '"'
    return f"text needs quotation marks: {key} = {mark}{value}{mark}"
