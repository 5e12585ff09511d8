"""The letters beside a–z of the languages that encodings older than Unicode were made for."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Alphabet:
    """The letters of one language, or of languages that are often in one list.

    Attributes:
        letters: the letters beside a–z in lower case; where `latin` is false, the most frequent first.
        latin: whether words also have letters of a–z.
        all: the letters in both cases.
        common: the most frequent letters.
    """

    letters: str
    latin: bool = True
    all: frozenset[str] = field(init=False)
    common: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Adds capital letters."""
        capitals = {letter.upper() for letter in self.letters} - {"SS", "I"}
        object.__setattr__(self, "all", frozenset(self.letters) | capitals)
        object.__setattr__(self, "common", frozenset(self.letters[:10]) | {one.upper() for one in self.letters[:10]})


def _latin(*alphabets: str) -> tuple[Alphabet, ...]:
    return tuple(map(Alphabet, alphabets))


def _other(*alphabets: str) -> tuple[Alphabet, ...]:
    return tuple(Alphabet(letters, latin=False) for letters in alphabets)


_CZECH, _SLOVAK = "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž"
_POLISH, _HUNGARIAN, _ROMANIAN = "ąćęłńóśźż", "áéíóöőúüű", "ăâîşţșț"
_SOUTH_SLAVIC = "čćđšž"
_ESTONIAN, _LATVIAN, _LITHUANIAN = "äöüõšž", "āčēģīķļņōŗšūž", "ąčęėįšųūž"
_TURKISH = "çğıİöşüâîû"

WESTERN = _latin(
    "àçèéíïòóúü",  # Catalan
    "æøåéèêôóòäöü",  # Danish, Norwegian
    "áéíóúèëïöüçê",  # Dutch
    "åäöéüšž",  # Finnish, Swedish
    "àâæçéèêëîïôœùûüÿ",  # French
    "äöüßéèáàë",  # German, Luxembourgish
    "áéíðóúýþæö",  # Icelandic
    "àèéìíîòóùú",  # Italian, Gaelic
    "áâãàçéêíóôõúü",  # Portuguese
    "áéíóúüñçï",  # Spanish
    _ESTONIAN,
    "âêîôûëï",  # Welsh
)
_CENTRAL = _latin(_POLISH, _CZECH, _SLOVAK, _HUNGARIAN, _SOUTH_SLAVIC, _ROMANIAN)
_BALTIC = _latin(_LITHUANIAN, _LATVIAN, _ESTONIAN)
_VIETNAMESE = _latin("ăâđêôơưàáèéìíòóùúýãõ" + "\u0300\u0301\u0303\u0309\u0323")
_RUSSIAN = "аоеинрвлтскмдуйяпгьыбзхчшжфюцщэёъ"
_CYRILLIC = _other(
    _RUSSIAN,
    "аоиневрлкстмдуйпгяьбзіхчшжюїцфєщґ’",  # Ukrainian
    "аоиенвртслкмдпгбзучйхщцшжфяюъь",  # Bulgarian
    "аоиенвјртслкмдпгбзучшжцфхћђљњџ",  # Serbian
    "аоиенвјртслкмдпгбзучшжцфхќѓљњџѕ",  # Macedonian
    "аніорксвылтдмеуйпягьбзўхчшжюцфэёі",  # Belarusian
)
_GREEK = _other("αοιςρσνετκηλμυπόάίγδέώύήωθφχβξζψϊϋΐΰ")
_HEBREW = _other("יורלאהנבמשדתעחקסגפזטצכםןףךץ" + "׳״־")
_ARABIC = _other("امديرلنبحعسةفيهوشكقجصخطزضثغتأإآؤئءىذظ" + "ًٌٍَُِّْ", "امديرلنبحعسفهوشکقجصخطزضثغتأآئءىذظيةكگپچژہھیےںٹڈڑ")
_THAI = _other("".join(map(chr, (*range(0xE01, 0xE3B), *range(0xE40, 0xE4F)))))

# Which languages an encoding is used for. The order decides between equals: what people most often have comes first.
ALPHABETS: dict[str, tuple[Alphabet, ...]] = {
    "cp1252": WESTERN,
    "cp1250": _CENTRAL,
    "cp1251": _CYRILLIC,
    "cp1253": _GREEK,
    "cp1254": _latin(_TURKISH),
    "cp1255": _HEBREW,
    "cp1256": _ARABIC,
    "cp1257": _BALTIC,
    "cp1258": _VIETNAMESE,
    "cp874": _THAI,
    "mac_roman": WESTERN,
    "cp850": WESTERN,
    "cp437": WESTERN,
    "koi8_r": _other(_RUSSIAN),
    "koi8_u": _CYRILLIC,
    "cp866": _CYRILLIC,
    "cp852": _CENTRAL,
    "cp857": _latin(_TURKISH),
    "cp775": _BALTIC,
    "cp737": _GREEK,
    "cp862": _HEBREW,
    "iso8859_2": _CENTRAL,
    "iso8859_5": _CYRILLIC,
    "iso8859_7": _GREEK,
    "iso8859_13": _BALTIC,
    "iso8859_4": _BALTIC,
    "mac_latin2": _CENTRAL,
    "mac_turkish": _latin(_TURKISH),
    "mac_cyrillic": _CYRILLIC,
    "mac_greek": _GREEK,
    "iso8859_15": WESTERN,
}
# Of two bytes a character. All Korean text is also frequent Chinese, but not the other way round.
EAST_ASIAN = ("cp932", "cp949", "gb18030", "big5")
