"""Domains of the large mail providers, and slips of the pen in them: gmial.com, hotmail.con."""

from __future__ import annotations

from musterroll import is_one_slip

# The providers whose names are long enough that one slip of the pen does not make another real name.
_PROVIDERS = {
    "gmail": "com",
    "googlemail": "com",
    "hotmail": "com co.uk de fr it es nl be ch at ca gr se no dk fi com.br com.ar com.mx com.tr co.jp",
    "outlook": "com de fr it es at be dk ie pt cz hu sk com.br com.ar com.au co.uk jp",
    "yahoo": "com co.uk de fr it es nl be ch at ca gr se no dk ie pl ro in co.in co.jp co.id com.br com.mx com.au",
    "icloud": "com",
    "protonmail": "com ch",
    "fastmail": "com fm",
    "rocketmail": "com",
    "rediffmail": "com",
    "btinternet": "com",
    "comcast": "net",
    "bellsouth": "net",
    "sbcglobal": "net",
    "t-online": "de",
    "wanadoo": "fr",
}
_REAL = frozenset({"grail"})  # one slip away, and somebody's own
# Endings that are typed for others; no mail provider above has an address there.
_MISTYPED = {
    "com": "con cim cmo cm co om comm coom ccom vom xom cpm ocm clm dom cok c0m",
    "net": "ent nte nett bet met ne",
}
_ENDINGS = {wrong: right for right, wrongs in _MISTYPED.items() for wrong in wrongs.split()}
_DOMAINS = {name: frozenset(endings.split()) for name, endings in _PROVIDERS.items()}

# Those of countries, and the others that people have addresses in.
_ENDINGS_OF_ADDRESSES = (
    "com org net edu gov mil int info biz name pro coop aero museum jobs mobi tel cat asia eu app dev cloud "
    "online site shop store tech email group team agency berlin london wien swiss example test ac ad ae af ag ai "
    "al am ao ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc cd cf cg ch ci ck "
    "cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et fi fj fk fm fo fr ga gd ge gf gg gh gi "
    "gl gm gn gp gq gr gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn "
    "kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx "
    "my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa "
    "sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz "
    "ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw "
)
_TOP_DOMAINS = frozenset(_ENDINGS_OF_ADDRESSES.split())


def is_top_domain(name: str) -> bool:
    """Whether a domain ends like this: what stands behind its last dot."""
    return name.lower() in _TOP_DOMAINS


def meant_domain(domain: str) -> str | None:
    """Returns the domain that a misspelt one seems to be; None for any that may be real."""
    name, _, ending = domain.lower().partition(".")
    if name in _REAL or ending in _DOMAINS.get(name, ()):
        return None
    if name in _DOMAINS:
        corrected = _ENDINGS.get(ending)
        return f"{name}.{corrected}" if corrected in _DOMAINS[name] else None
    corrected = _ENDINGS.get(ending, ending)
    for provider, endings in _DOMAINS.items():
        # The first letter is seldom wrong, and mail.com, ymail.com, email.com and cloud.com are real.
        begins_alike = name[:1] == provider[0] or name[:2] == provider[1::-1]
        right = ending if ending in endings else corrected
        if begins_alike and right in endings and is_one_slip(name, provider):
            return f"{provider}.{right}"
    return None
