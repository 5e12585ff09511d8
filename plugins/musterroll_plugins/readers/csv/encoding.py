"""What text a file holds: whether it is text at all, and in which encoding."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from musterroll import Problem, Source, SourceError, gettext

_BOMS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = re.compile("[\0-\x08\x0e-\x19\x1b-\x1f\ufffd]")
_TITLES = {
    "cp1252": "Windows-1252 (Western European)",
    "cp1250": "Windows-1250 (Central European)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "cp1257": "Windows-1257 (Baltic)",
    "mac_roman": "Mac OS Roman",
    "cp850": "DOS code page 850 (Western European)",
    "cp932": "Shift JIS (Japanese)",
    "gb18030": "GB 18030 (Chinese)",
    "big5": "Big5 (Chinese)",
    "cp949": "Korean",
    "koi8_r": "KOI8-R (Cyrillic)",
    "cp866": "DOS code page 866 (Cyrillic)",
    "utf-16-le": "UTF-16 (little-endian)",
    "utf-16-be": "UTF-16 (big-endian)",
}
_CHUNK = 1 << 18
# A longer line is no row of a sheet; its end is not looked at.
_LINE = 1 << 22
_WORD = re.compile(rb"[A-Za-z\x80-\xff]+")
_MOST_WORDS, _LONGEST_WORD, _MOST_TEXT = 1000, 60, 1 << 15
_ASCII = bytes(range(0x80))
# "Íñ" of DOS is a Hebrew accent in UTF-8: two letters that are one of another script, in the middle of Latin ones.
_OTHER_SCRIPTS = "[\u0483-\u0489\u0530-\u07bf]"
_BY_CHANCE = re.compile(f"(?<=[A-Za-z]){_OTHER_SCRIPTS}|{_OTHER_SCRIPTS}(?=[A-Za-z])")
# In texts of two bytes a character, so many lines are valid UTF-8 by chance.
_LINES_BY_CHANCE = 0.1


@dataclass(frozen=True, slots=True)
class TextFormat:
    """How the bytes of a file become text.

    Attributes:
        codec: Python's name of the encoding.
        skip: how many bytes of byte order mark come first.
        guessed: whether neither a mark nor validity shows it.
        problem: why the file cannot be read in one encoding.
    """

    codec: str
    skip: int = 0
    guessed: bool = False
    problem: Problem | None = None

    @property
    def title(self) -> str:
        """The encoding's name for the person."""
        return _TITLES.get(self.codec, self.codec.upper())


def is_plausible(head: bytes) -> bool:
    """Judges by the control characters in the first bytes of a file whether it is text."""
    found = _marked(head) or _unmarked_utf16(head)
    # The end is cut anywhere, so the last character of a wide encoding may be broken: one is forgiven.
    text = head.decode(found.codec if found else "latin-1", errors="replace")
    return sum(1 for _ in _CONTROLS.finditer(text)) <= 1 + len(text) // 100


def detect(source: Source, named: str | None = None) -> TextFormat:
    """Finds out the encoding of a text file, reading through it in pieces.

    Args:
        source: the file.
        named: the encoding that the person names; a byte order mark of that encoding is still passed over.

    Raises:
        SourceError: no encoding can be found that decodes the whole file.
    """
    marked = _marked(source.head)
    if named is not None:
        if _plain(named) == "utf16":
            return marked or _unmarked_utf16(source.head) or TextFormat(named)
        same = marked is not None and _plain(named) in {_plain(marked.codec), _plain(marked.codec)[:5]}
        return marked if same and marked is not None else TextFormat(named)
    found = marked or _unmarked_utf16(source.head) or TextFormat("utf-8")
    if found.codec != "utf-8" or (_decodes(source, "utf-8") and (found.skip or not _is_utf8_by_chance(source))):
        return found
    return _not_utf8(source, found)


def _plain(codec: str) -> str:
    return codecs.lookup(codec).name.replace("-", "").removesuffix("sig")


def _marked(head: bytes) -> TextFormat | None:
    """Recognises the mark; programs that add one to a file that has one already write two."""
    for mark, codec in _BOMS:
        skip = 0
        while head.startswith(mark, skip):
            skip += len(mark)
        if skip:
            return TextFormat(codec, skip)
    return None


def _unmarked_utf16(head: bytes) -> TextFormat | None:
    """Recognises UTF-16 without a mark by the NULs that Latin letters and delimiters have in it."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    enough = max(1, len(head) * 2 // 10)  # of the pairs, two in five
    if odd >= enough and even * 20 < odd:
        return TextFormat("utf-16-le", guessed=True)
    if even >= enough and odd * 20 < even:
        return TextFormat("utf-16-be", guessed=True)
    return None


def _chunks(source: Source) -> Iterator[bytes]:
    with source.open() as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _decodes(source: Source, codec: str) -> bool:
    decode = codecs.getincrementaldecoder(codec)().decode
    try:
        for chunk in _chunks(source):
            decode(chunk)
        decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _is_utf8_by_chance(source: Source) -> bool:
    """Whether a file that is valid UTF-8 has only characters in it that cannot be meant, and so is something else."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    anything = False
    for chunk in _chunks(source):
        text = decode(chunk)
        if not text.isascii():
            anything = True
            if not _all_by_chance(text):
                return False
    return anything


def _all_by_chance(text: str) -> bool:
    return len(_BY_CHANCE.findall(text)) == len(text) - len(text.encode("ascii", "ignore"))


def _lines(source: Source) -> Iterator[bytes]:
    """Divides the file into its lines, whatever ends them."""
    rest = bytearray()
    for chunk in _chunks(source):
        end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r", 0, -1)) + 1
        if end:
            yield from (bytes(rest) + chunk[:end]).splitlines()
            rest = bytearray(chunk[end:])
        elif len(rest) < _LINE:
            rest += chunk
    if rest:
        yield from bytes(rest).splitlines()


@dataclass(slots=True)
class _Evidence:
    """What the lines that are not ASCII tell.

    Attributes:
        valid: how many are UTF-8, and not by chance.
        invalid: how many are not.
        first_valid: the number of the first one that is.
        first_invalid: the number of the first one that is not.
        high: the bytes above ASCII that occur.
        words: different words that are not ASCII.
        text: some of the lines.
    """

    valid: int = 0
    invalid: int = 0
    first_valid: int = 0
    first_invalid: int = 0
    high: set[int] = field(default_factory=set)
    words: dict[bytes, None] = field(default_factory=dict)
    text: bytearray = field(default_factory=bytearray)

    def take(self, number: int, line: bytes) -> None:
        """Looks at one line."""
        try:
            by_chance = _all_by_chance(line.decode("utf-8"))
        except UnicodeDecodeError:
            self.invalid += 1
            self.first_invalid = self.first_invalid or number
        else:
            if not by_chance:
                self.valid += 1
                self.first_valid = self.first_valid or number
        high = line.translate(None, _ASCII)
        self.high.update(high)
        if len(self.words) < _MOST_WORDS:
            words = (found.group()[:_LONGEST_WORD] for found in _WORD.finditer(line))
            self.words.update((word, None) for word in words if not word.isascii())
        if len(self.text) < _MOST_TEXT:
            self.text += line[:1000] + b"\n"


def _not_utf8(source: Source, found: TextFormat) -> TextFormat:
    """Finds out what a file is that is not valid UTF-8 throughout."""
    from musterroll_plugins.readers.csv.alphabets import EAST_ASIAN  # noqa: PLC0415 -- most files need no guess
    from musterroll_plugins.readers.csv.guess import guess  # noqa: PLC0415 -- likewise

    evidence = _Evidence()
    for number, line in enumerate(_lines(source), 1):
        if not line.isascii():
            evidence.take(number, line)

    def decodes(codec: str) -> bool:
        if codec in EAST_ASIAN:
            return _decodes(source, codec)
        try:
            bytes(evidence.high).decode(codec)
        except UnicodeDecodeError:
            return False
        return True

    old_mac = b"\r" in source.head and b"\n" not in source.head
    codec = guess(evidence.words, bytes(evidence.text), old_mac=old_mac, decodes=decodes)
    by_chance = codec in EAST_ASIAN and evidence.valid <= _LINES_BY_CHANCE * evidence.invalid
    if found.skip or (evidence.valid and not by_chance):
        return TextFormat("utf-8", found.skip, problem=_mixed(evidence, marked=bool(found.skip)))
    if codec is None:
        raise SourceError(
            gettext(
                "{file} is not UTF-8 (line {line} is the first that is not), and which encoding it has cannot be "
                "told; save it as UTF-8, or name its encoding (`encoding` in [readers.csv])",
                file=source.name,
                line=evidence.first_invalid,
            ),
            code="source.encoding",
        )
    return TextFormat(codec, guessed=True)


def _mixed(evidence: _Evidence, *, marked: bool) -> Problem:
    message = (
        "Line {line} is not UTF-8, but the file is marked as such: the file was put together from pieces in two "
        "encodings, or damaged; correct line {line} and those like it and save the file as UTF-8, or name its one "
        "encoding (readers.csv.encoding)"
        if marked
        else "Line {line} is not UTF-8, but line {other} is: the file was put together from pieces in two encodings, "
        "or damaged; correct line {line} and those like it and save the file as UTF-8, or name its one encoding "
        "(readers.csv.encoding)"
    )
    text = gettext(message, line=evidence.first_invalid, other=evidence.first_valid)
    return Problem(code="source.mixed_encoding", message=text)
