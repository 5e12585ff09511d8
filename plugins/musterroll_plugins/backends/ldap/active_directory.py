"""Active Directory, and Samba where it is a domain controller."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

import ldap

from musterroll import BackendError, Desired, Objection, Secret, fold, gettext
from musterroll_plugins.backends.ldap.connection import Connection
from musterroll_plugins.backends.ldap.dialect import Dialect
from musterroll_plugins.backends.ldap.errors import described, said, windows_code
from musterroll_plugins.backends.ldap.names import both, equals
from musterroll_plugins.backends.ldap.requests import ANY, Answer, Change, Entry, Modify, Request, Search

CAPABILITY = "1.2.840.113556.1.4.800"
"""What the root DSE of a domain controller says that it can."""

LONGEST_LOGON_NAME = 20
_NOT_IN_LOGON_NAMES = '"/\\[]:;|=,+*?<>@'
_LONGEST_COMMON_NAME = 64

# userAccountControl
_DISABLED, _NORMAL = 0x2, 0x200
# groupType
_SCOPES = {"global": 0x2, "domain-local": 0x4, "universal": 0x8}
_SECURITY = 0x80000000
# pwdProperties
_COMPLEX = 0x1

_CODES = {
    "00000005": "the account that musterroll signs in as may not do this",
    "0000001F": "a password can be set over an encrypted line only",
    "0000052D": (
        "the domain's password policy refuses the password: it is too short or too simple, holds the user's name, or "
        "was used before; give another one"
    ),
    "00000524": "the logon name (sAMAccountName) belongs to another user or group; give another username",
    "00000523": "the logon name (sAMAccountName) has characters that the domain does not take; give another username",
    "0000202F": "another user has this principal name (userPrincipalName); give another one",
    "000021C8": "another user of the forest has this principal name (userPrincipalName); give another one",
    "00002071": "another entry has this name already",
    "00002098": "the account that musterroll signs in as may not do this",
    "00000561": "the user is no member",
    "00000562": "the user is a member already",
    "0000055E": "the group is the primary group of a user; give that user another one first",
    "00002141": "a group of this scope cannot be inside that one; see the option group_scope",
    "00002142": "a group of this scope cannot be inside that one; see the option group_scope",
}


class ActiveDirectory(Dialect):
    """Active Directory: other names, another password, other marks, and a policy that can be known beforehand."""

    id_attribute = "objectGUID"
    username = "sAMAccountName"
    rdn = "cn={username}"
    user_classes: Sequence[str] = ("user",)
    group_class = "group"
    shows_groups = True
    links_follow = True
    names_are_unique = True
    fills_in = True
    group_number = "primaryGroupToken"
    finds_at_once = True
    sets_passwords = True
    deactivates = True
    password_is_apart = False
    asked = ("userAccountControl", "memberOf", "primaryGroupID")

    _longest: Mapping[str, int] = {}
    _shortest_password, _wants_complex = 0, False

    @property
    def product(self) -> str:
        """See `Dialect`; Microsoft's does not say who makes it."""
        return f"Active Directory ({self.vendor})" if self.vendor else "Active Directory"

    @property
    def made(self) -> Mapping[str, str]:
        """See `Dialect`: the principal name is in the domain of the base."""
        domain = ".".join(re.findall(r"(?i)(?:^|,)\s*dc\s*=\s*([^,]+)", self.options.base)).strip()
        made = {"displayName": "{forename} {surname}"}
        return {**made, "userPrincipalName": "{username}@" + domain.replace("{", "{{")} if domain else made

    @property
    def user_filter(self) -> str:
        """Which entries are users; computers are users, too, and their category is another one."""
        return both("(objectCategory=person)", "(objectClass=user)")

    # -- who is who -----------------------------------------------------------------------------------------

    def ref_of(self, entry: Entry) -> str | None:
        """See `Dialect`."""
        values = entry.get("objectguid")
        return str(UUID(bytes_le=values[0])) if values and len(values[0]) == 16 else None

    def ref_in(self, answer: Answer) -> str | None:
        """See `Dialect`: nothing is told along."""
        return None

    def find(self, ref: str, base: str, attributes: Sequence[str]) -> Search | None:
        """See `Dialect`."""
        try:
            return Search(f"<GUID={UUID(ref)}>", ANY, attributes)
        except ValueError:
            return None

    # -- passwords, and being active ------------------------------------------------------------------------

    def for_new_user(self, password: Secret | None) -> Mapping[str, Sequence[bytes]]:
        """See `Dialect`. Whoever gets no password gets one that nobody knows: without one, anybody could sign in."""
        chosen = _unguessable() if password is None else password.reveal()
        held: dict[str, Sequence[bytes]] = {
            "userAccountControl": [str(_NORMAL).encode()],
            "unicodePwd": [_quoted(chosen)],
        }
        if self.options.change_at_logon:
            held["pwdLastSet"] = [b"0"]
        return held

    def set_password(self, dn: str, password: Secret) -> Request:
        """See `Dialect`."""
        changes = [Change("unicodePwd", [_quoted(password.reveal())])]
        if self.options.change_at_logon:
            changes.append(Change("pwdLastSet", [b"0"]))
        return Modify(dn, changes)

    def is_marked_inactive(self, entry: Entry) -> bool:
        """See `Dialect`."""
        return bool(_control(entry) & _DISABLED)

    def mark(self, entry: Entry, *, active: bool) -> list[Change]:
        """See `Dialect`."""
        control = _control(entry)
        control = control & ~_DISABLED if active else control | _DISABLED
        return [Change("userAccountControl", [str(control).encode()])]

    # -- what is missing ------------------------------------------------------------------------------------

    def insist(self) -> None:
        """See `Dialect`."""
        if self.options.passwords and self.options.security == "none":
            raise BackendError(
                "Active Directory takes passwords over an encrypted line only; "
                'set security to "tls", or passwords to false'
            )

    def may_be_below(self, connection: Connection, dn: str) -> Sequence[str] | None:
        """See `Dialect`."""
        found = connection.read(dn, ["allowedChildClassesEffective"])
        values = () if found is None else found.entry.get("allowedchildclasseseffective", ())
        return [value.decode("utf-8", "replace") for value in values]

    # -- groups ---------------------------------------------------------------------------------------------

    def for_new_group(self, name: str) -> Mapping[str, Sequence[bytes]]:
        """See `Dialect`. A group's logon name has fewer characters to choose from than its name."""
        kind = _SCOPES[self.options.group_scope] | _SECURITY
        logon = "".join("_" if letter in _NOT_IN_LOGON_NAMES else letter for letter in name)[:256].rstrip(" .")
        return {"groupType": [str(kind - 2**32).encode()], "sAMAccountName": [logon.encode()]}

    def another_logon_name(
        self, group: Mapping[str, Sequence[bytes]], key: str
    ) -> Mapping[str, Sequence[bytes]] | None:
        """See `Dialect`: users and groups of a domain share their logon names."""
        name = group["sAMAccountName"][0].decode()[:240]
        return {**group, "sAMAccountName": [f"{name}-{key[-8:]}".encode()]}

    # -- what it will not take ------------------------------------------------------------------------------

    def learn(self, connection: Connection, attributes: Iterable[str]) -> None:
        """See `Dialect`: how long values may be is in the schema, what passwords must be in the domain's entry."""
        schema = self.facts.texts("schemaNamingContext")
        names = "".join(equals("lDAPDisplayName", name) for name in sorted({name.lower() for name in attributes}))
        if schema:
            found = connection.search(schema[0], f"(|{names})", ["lDAPDisplayName", "rangeUpper"])
            self._longest = {
                entry["ldapdisplayname"][0].decode().lower(): int(entry["rangeupper"][0])
                for _, entry in found
                if "rangeupper" in entry
            }
        domain = self.facts.texts("defaultNamingContext")
        policy = connection.read(domain[0], ["minPwdLength", "pwdProperties"]) if domain else None
        if policy is not None:
            self._shortest_password = _number(policy.entry, "minpwdlength")
            self._wants_complex = bool(_number(policy.entry, "pwdproperties") & _COMPLEX)

    def objections(
        self, user: Desired, made: Mapping[str, str], ref: str | None, password: Secret | None
    ) -> Iterator[Objection]:
        """See `Dialect`. The policy is the domain's; single users may have another, so only new ones are judged."""
        yield from super().objections(user, made, ref, password)
        for attribute, value in made.items():
            yield from self._too_long(attribute, value)
        if self.username in made:
            yield from self._logon_name(user.username)
        if password is not None and ref is None:
            yield from self._password(password.reveal(), user)

    def _too_long(self, attribute: str, value: str) -> Iterator[Objection]:
        most = self._longest.get(attribute.lower())
        if attribute.lower() == self.username.lower():
            most = LONGEST_LOGON_NAME
        elif attribute.lower() == "cn":
            most = _LONGEST_COMMON_NAME
        if most is not None and len(value) > most:
            message = "Active Directory takes {most} characters for {attribute}, and these are {count}; make it shorter"
            yield Objection(attribute, gettext(message, most=most, attribute=attribute, count=len(value)))

    def _logon_name(self, name: str) -> Iterator[Objection]:
        wrong = sorted({letter for letter in name if letter in _NOT_IN_LOGON_NAMES or ord(letter) < 32})
        if wrong:
            message = "Active Directory does not take {letters} in a logon name; leave it out"
            yield Objection("username", gettext(message, letters=" ".join(wrong)))
        elif name.endswith("."):
            message = "Active Directory does not take a logon name that ends with a full stop; leave it out"
            yield Objection("username", gettext(message))

    def _password(self, password: str, user: Desired) -> Iterator[Objection]:
        if len(password) < self._shortest_password:
            message = "The domain wants passwords of at least {least} characters; give a longer one"
            yield Objection("password", gettext(message, least=self._shortest_password), "password.policy")
        if not self._wants_complex:
            return
        if _kinds(password) < 3:
            message = (
                "The domain wants three of four kinds of characters in a password: capital letters, small letters, "
                "digits, others; give another one"
            )
            yield Objection("password", gettext(message), "password.policy")
        if len(user.username) > 2 and fold(user.username) in fold(password):
            message = "The domain does not take a password that holds the username; give another one"
            yield Objection("password", gettext(message), "password.policy")

    def explain(self, error: ldap.LDAPError) -> str:
        """See `Dialect`: the code in the message tells more than the code of the result."""
        code = windows_code(error)
        if code == "0000202F" and "principal" not in said(error).lower() and "upn" not in said(error).lower():
            return described(error)  # one code for every value that has to be unique, or fits no rule
        return f"{_CODES[code]} ({code})" if code in _CODES else described(error)


def _quoted(password: str) -> bytes:
    return f'"{password}"'.encode("utf-16-le")


def _unguessable() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40)) + "aA1-"


def _kinds(password: str) -> int:
    kinds = (
        any(letter.isupper() for letter in password),
        any(letter.islower() for letter in password),
        any(letter.isdigit() for letter in password),
        any(not letter.isalnum() for letter in password),
    )
    return sum(kinds)


def _control(entry: Entry) -> int:
    return _number(entry, "useraccountcontrol") or _NORMAL


def _number(entry: Entry, attribute: str) -> int:
    values = entry.get(attribute)
    return int(values[0]) if values else 0
