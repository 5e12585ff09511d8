"""What text a file holds: whether it is text at all, and in which encoding."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from musterroll import Source, SourceError

_BOMS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Formats that are, or begin as, plausible text; the rest gives itself away by NULs and control characters.
_NO_CSV = (b"%PDF", b"{\\rtf", b"PK\x03\x04", b"<?xml", b"<!doctype", b"<html", b"<table")
_CONTROLS = re.compile("[\0-\x08\x0e-\x19\x1b-\x1f\ufffd]")
_NOT_ASCII_LINES = re.compile(rb"[^\r\n]*[\x80-\xff][^\r\n]*")
_WORDS = re.compile(r"[^\W\d_]+")

_LATIN = ("cp1252", "cp1250", "cp1254", "cp1257", "mac_roman", "cp850")
_OTHER = ("cp1251", "cp1253", "cp1255", "cp1256", "cp932", "gb18030", "big5", "cp949", "koi8_r", "cp866")
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
    "latin_1": "ISO 8859-1",
    "utf-16-le": "UTF-16 (little-endian)",
    "utf-16-be": "UTF-16 (big-endian)",
}
_CHUNK = 1 << 18
_SAMPLE = 8192  # enough for a guess; guessing costs about a second for each 100 kB


@dataclass(frozen=True, slots=True)
class TextFormat:
    """How the bytes of a file become text.

    Attributes:
        codec: Python's name of the encoding.
        skip: how many bytes of byte order mark come first.
        guessed: whether neither a mark nor validity shows it.
    """

    codec: str
    skip: int = 0
    guessed: bool = False

    @property
    def title(self) -> str:
        """The encoding's name for the person."""
        return _TITLES.get(self.codec, self.codec.upper())


def is_plausible(head: bytes) -> bool:
    """Judges by the first bytes of a file whether it is text that could be a csv file."""
    if head[:64].lstrip().lower().startswith(tuple(magic.lower() for magic in _NO_CSV)):
        return False
    found = _marked(head) or _unmarked_utf16(head)
    if found is None and b"\0" in head:
        return False
    # The end is cut anywhere, so the last character of a wide encoding may be broken: one is forgiven.
    text = head.decode(found.codec if found else "latin-1", errors="replace")
    return sum(1 for _ in _CONTROLS.finditer(text)) <= 1 + len(text) // 100


def detect(source: Source, named: str | None = None) -> TextFormat:
    """Finds out the encoding of a text file, reading through it once in pieces.

    Args:
        source: the file.
        named: the encoding that the person names; a byte order mark of that encoding is still passed over.

    Raises:
        SourceError: the file is UTF-8 but for a few bytes, so any guess would spoil most of it.
    """
    marked = _marked(source.head)
    if named is not None:
        if _plain(named) == "utf16":
            return marked or _unmarked_utf16(source.head) or TextFormat(named)
        same = marked is not None and _plain(named) in {_plain(marked.codec), _plain(marked.codec)[:5]}
        return marked if same and marked is not None else TextFormat(named)
    return marked or _unmarked_utf16(source.head) or _by_validity(source)


def _plain(codec: str) -> str:
    return codecs.lookup(codec).name.replace("-", "").removesuffix("sig")


def _marked(head: bytes) -> TextFormat | None:
    return next((TextFormat(codec, len(mark)) for mark, codec in _BOMS if head.startswith(mark)), None)


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


def _by_validity(source: Source) -> TextFormat:
    decode = codecs.getincrementaldecoder("utf-8")().decode
    try:
        for chunk in _chunks(source):
            decode(chunk)
        decode(b"", True)
    except UnicodeDecodeError:
        return TextFormat(_guess(_sample(source)), guessed=True)
    return TextFormat("utf-8")


def _sample(source: Source) -> bytes:
    """Gathers lines that are not ASCII, and makes sure that the file is not UTF-8 with an accident in it."""
    lenient = codecs.getincrementaldecoder("utf-8")("replace").decode
    good = bad = line = first_bad = 0
    sample = bytearray()
    for chunk in _chunks(source):
        if len(sample) < _SAMPLE:
            for found in _NOT_ASCII_LINES.finditer(chunk):
                sample += found.group()[:1000] + b"\n"
                if len(sample) >= _SAMPLE:
                    break
        text = lenient(chunk)
        broken = text.count("\ufffd")
        if broken and not bad:
            first_bad = line + text.count("\n", 0, text.index("\ufffd")) + 1
        bad += broken
        good += len(text) - broken - len(text.encode("ascii", "ignore"))
        line += text.count("\n")
    if good >= 2 and good >= 4 * bad:
        raise SourceError(
            f"{source.name} is UTF-8 text but for a few damaged characters (the first in line {max(first_bad, 1)}); "
            "correct them and save it as UTF-8 again, or name its encoding (`encoding` in [readers.csv])",
            code="source.encoding",
        )
    return bytes(sample)


def _guess(sample: bytes) -> str:
    """Guesses an 8-bit or East Asian encoding; Western Windows text unless something speaks against it.

    Names are too short for charset-normalizer to tell neighbours apart, so it chooses only among encodings that
    spreadsheet programs export, and only of the right kind: in Latin text, letters that are not ASCII are few
    in their words; in other scripts they are most.
    """
    from charset_normalizer import from_bytes  # noqa: PLC0415 -- slow to import, and rarely needed

    found = from_bytes(sample, cp_isolation=[*_LATIN, *_OTHER], preemptive_behaviour=False)
    scores = {
        name: (match.chaos, -match.coherence)
        for match in reversed(list(found))
        for name in match.could_be_from_charset
        if name in _TITLES and _is_of_kind(sample, name)
    }
    if not scores:
        return "cp1252" if _decodes(sample, "cp1252") else "latin_1"
    order = [*_LATIN, *_OTHER, *_TITLES]
    best = min(scores, key=lambda name: (scores[name], order.index(name)))
    western = scores.get("cp1252")
    # A slight advantage of another is chance: tried on lists of a few Western and Central European names.
    if western and western[0] - scores[best][0] <= 0.05 and western[1] - scores[best][1] <= 0.06:
        return "cp1252"
    return best


def _decodes(sample: bytes, codec: str) -> bool:
    try:
        sample.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _is_of_kind(sample: bytes, codec: str) -> bool:
    letters = other = 0
    for word in _WORDS.findall(sample.decode(codec, errors="replace")):
        if not word.isascii():
            letters += len(word)
            other += sum(1 for letter in word if letter > "\x7f")
    return (other * 2 <= letters) == (codec in _LATIN)
