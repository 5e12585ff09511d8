"""Between a user of the sheet and an entry of the directory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from musterroll import CreateUser, Desired, Existing, Template, fold, fold_path
from musterroll_plugins.backends.ldap.dialect import Dialect
from musterroll_plugins.backends.ldap.names import Made, NameTemplate, child, first_value, is_below, rdn, split
from musterroll_plugins.backends.ldap.options import LdapOptions
from musterroll_plugins.backends.ldap.requests import Change, Entry, Found
from musterroll_simple import phones, split_path

USERNAME = "username"
_CODE, _PHONE = "calling_code", "phone"

Fields = Mapping[str, str | None]


class UserEntries:
    """Makes entries of users and users of entries.

    Args:
        options: of the backend.
        dialect: what kind of directory it is.
        truths: the fields of truth values, which directories write in capitals.
        people: the fields that name another user.

    Attributes:
        attributes: which attribute a field becomes, the username among them.
        asked: what is asked for of a user.
        references: those of `people` for which the directory has the name of the other user's entry.
        username_names: whether an entry is named by its username alone, in one place: that keeps usernames unique.
    """

    def __init__(
        self, options: LdapOptions, dialect: Dialect, truths: Collection[str] = (), people: Collection[str] = ()
    ) -> None:
        self._options, self._dialect, self._truths = options, dialect, truths
        chosen = {**dialect.usual, **options.attributes}
        self.attributes = {USERNAME: dialect.username, **{name: text for name, text in chosen.items() if text}}
        self.references = [name for name in people if dialect.names_entries(self.attributes.get(name, ""))]
        self._ignored = {name for name, text in chosen.items() if not text}
        self._joint_phone = _CODE not in chosen and _PHONE in self.attributes
        if _CODE not in chosen and _PHONE in self._ignored:
            self._ignored.add(_CODE)
        made = {**dialect.made, **options.made}
        self._made = {name: Made(Template(text)) for name, text in made.items() if text}
        self._of = {attribute.lower(): name for name, attribute in self.attributes.items()}
        joint = {_PHONE} if self._joint_phone else set[str]()
        self._simple = [pair for pair in self.attributes.items() if pair[0] not in joint]
        self._follow = [(attribute, one) for attribute, one in self._made.items() if attribute.lower() not in self._of]
        self._name = NameTemplate(options.rdn or dialect.rdn)
        self._all: Fields = dict.fromkeys(
            (*self.attributes, _CODE, *(n for made in self._made.values() for n in made.names))
        )
        named = {name.lower() for name in (*self.attributes.values(), *self._made)}
        self._naming = None if self._name.attribute.lower() in named else self._name.attribute
        self._containers = self._folded(options)
        by_username = self._name.attribute.lower() == dialect.username.lower()
        self.username_names = by_username and not options.containers and not options.inactive_container
        self._classes = [name.encode() for name in options.user_classes or dialect.user_classes]
        extra = [options.key_attribute] * bool(options.key_attribute)
        self.asked = list(
            dict.fromkeys((*self.attributes.values(), *self._made, dialect.id_attribute, *dialect.asked, *extra))
        )

    @staticmethod
    def _folded(options: LdapOptions) -> dict[object, str]:
        if options.containers_by != "groups":
            return {fold(value): dn for value, dn in options.containers.items()}
        separator = options.path_separator
        return {fold_path(split_path(path, separator)): dn for path, dn in options.containers.items()}

    @property
    def fields(self) -> frozenset[str]:
        """The fields that the directory can store."""
        joint = {_CODE} if self._joint_phone else set[str]()
        return frozenset((self.attributes.keys() - {USERNAME}) | joint)

    def field_of(self, attribute: str) -> str:
        """Returns the field whose cell an attribute's value comes from."""
        if attribute.lower() in self._of:
            return self._of[attribute.lower()]
        made = next((template for name, template in self._made.items() if name.lower() == attribute.lower()), None)
        if attribute.lower() == self._name.attribute.lower():
            made = self._name.made
        return made.names[0] if made is not None and made.names else attribute

    @property
    def naming_attribute(self) -> str:
        """The attribute that entries are named by."""
        return self._name.attribute

    def naming_value(self, fields: Fields) -> str:
        """What a user's entry is named."""
        return self._name.value(fields)

    def canonical(self, desired: Desired) -> Desired:
        """Returns a user as it will be read again, without the fields that the options leave out."""
        given = {**desired.fields, USERNAME: desired.username}
        fields = {
            name: text or self._for_empty(name, given)
            for name, text in desired.fields.items()
            if name not in self._ignored
        }
        if self._joint_phone and fields.get(_PHONE):
            code, number = phones.split(phones.join(fields.get(_CODE), fields[_PHONE]))
            fields[_PHONE] = number
            if code or _CODE in fields:
                fields[_CODE] = code
        return Desired(username=desired.username, fields=fields)

    def _for_empty(self, name: str, given: Fields) -> str | None:
        """What the attribute of a field is given that is empty."""
        made = self._made.get(self.attributes.get(name, ""))
        return (made.of(given) or None) if made is not None else None

    # -- reading --------------------------------------------------------------------------------------------

    def read(self, found: Found, groups: frozenset[str]) -> Existing | None:
        """Reads a user; None where it has no id or no username."""
        ref, values = self._dialect.ref_of(found.entry), self.values(found.entry)
        username = values.pop(USERNAME)
        if ref is None or not username:
            return None
        key = _text(found.entry, self._options.key_attribute)
        return Existing(
            ref=ref,
            username=username,
            fields=values,
            groups=groups,
            active=self.is_active(found),
            key=key or None,
        )

    def values(self, entry: Entry) -> dict[str, str | None]:
        """Reads the fields, the username among them."""
        values = {name: _text(entry, attribute) for name, attribute in self.attributes.items()}
        for name in self._truths:
            values[name] = (values.get(name) or "").lower() or None
        if self._joint_phone:
            values[_CODE], values[_PHONE] = phones.split(values[_PHONE])
        return values

    def is_active(self, found: Found) -> bool:
        """Whether a user is active."""
        away = self._options.inactive_container
        return not self._dialect.is_marked_inactive(found.entry) and not (away and is_below(found.dn, away))

    def is_so(self, wanted: Fields, stored: Fields) -> bool:
        """Whether the fields of a user are as others want them."""
        known = {name: text for name, text in wanted.items() if name == USERNAME or name in self.fields}
        return all((stored.get(name) or None) == (text or None) for name, text in known.items())

    # -- where it is ----------------------------------------------------------------------------------------

    def place(self, fields: Fields) -> str:
        """Returns the entry below which a user belongs, by the field that decides."""
        if not self._containers or self._options.containers_by == "groups":
            return self._options.users
        return self._containers.get(fold(fields.get(self._options.containers_by) or ""), self._options.users)

    def place_of_group(self, path: Sequence[str]) -> str | None:
        """Returns the entry below which the members of a group belong; None where the group does not decide."""
        return self._containers.get(fold_path(tuple(path))) if self._options.containers_by == "groups" else None

    def dn(self, fields: Fields) -> str:
        """Returns the name of a new user's entry."""
        return child(rdn(self._name.attribute, self._name.value(fields)), self.place(fields))

    def moved(self, dn: str, before: Fields, after: Fields) -> tuple[str, str]:
        """Returns how an entry is to be named, and below which one it is to be, when its fields change.

        Who was put elsewhere by hand stays there, unless the field that decides changes.
        """
        name, parent = split(dn)
        if self._name.value(before) != self._name.value(after) or self._is_named_by(dn, before, after):
            name = rdn(self._name.attribute, self._name.value(after))
        if self.place(before) != self.place(after) and not self._is_away(dn):
            parent = self.place(after)
        return name, parent

    def _is_named_by(self, dn: str, before: Fields, after: Fields) -> bool:
        return before.get(USERNAME) != after.get(USERNAME) and first_value(dn) == before.get(USERNAME)

    def _is_away(self, dn: str) -> bool:
        away = self._options.inactive_container
        return away is not None and is_below(dn, away)

    # -- writing --------------------------------------------------------------------------------------------

    def new(self, op: CreateUser, fields: Fields) -> dict[str, Sequence[bytes]]:
        """Makes the attributes of a new user, but for those of its kind of directory.

        Args:
            op: the creation.
            fields: of the user, the username among them.
        """
        held: dict[str, Sequence[bytes]] = {"objectClass": self._classes}
        for attribute, value in self.attribute_values(self._all, fields).items():
            if value:
                held[attribute] = [value.encode()]
        if self._naming is not None:
            held[self._naming] = [self._name.value(fields).encode()]
        if self._options.key_attribute:
            held[self._options.key_attribute] = [op.id.encode()]
        return held

    def changes(self, before: Entry, changes: Fields) -> list[Change]:
        """Makes the changes of attributes; those that are so already are left out.

        Where an attribute has several values, the first is the field's, and the others stay.
        """
        after = {**self.values(before), **changes}
        found = []
        for attribute, value in self.attribute_values(changes, after).items():
            if attribute.lower() == self._name.attribute.lower():
                continue  # renaming does that
            present = before.get(attribute.lower(), [])
            values = [value.encode(), *present[1:]] if value else []
            if list(present) != values:
                found.append(Change(attribute, list(dict.fromkeys(values))))
        return found

    def attribute_values(self, changed: Fields, fields: Fields) -> dict[str, str | None]:
        """Returns what the attributes become of which some field changes.

        Args:
            changed: the fields that change.
            fields: all of them, as they are to be.
        """
        values: dict[str, str | None] = {}
        for name, attribute in self._simple:
            if name in changed:
                text = fields.get(name) or self._for_empty(name, fields)
                values[attribute] = text.upper() if text and name in self._truths else text
        if self._joint_phone and (_PHONE in changed or _CODE in changed):
            values[self.attributes[_PHONE]] = phones.join(fields.get(_CODE), fields.get(_PHONE))
        for attribute, made in self._follow:
            if not made.names or not changed.keys().isdisjoint(made.names):
                values[attribute] = made.of(fields) or (fields.get(USERNAME) if made.names else None)
        return values

    def new_attributes(self) -> Iterator[str]:
        """Yields the attributes that are written."""
        yield from (*self.attributes.values(), *self._made, self._name.attribute, *self._options.numbers)
        yield from (name for name in (self._options.key_attribute, self._options.inactive_attribute) if name)


def _text(entry: Entry, attribute: str) -> str | None:
    values = entry.get(attribute.lower())
    return (values[0].decode("utf-8", "replace") or None) if values else None
