"""The line to a directory: encrypted, signed in, to one of several servers; and made again when it breaks."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice

import ldap
from ldap.controls import KNOWN_RESPONSE_CONTROLS
from ldap.controls.libldap import SimplePagedResultsControl

from musterroll import BackendError, BackendUnavailableError, Context, Secret
from musterroll_plugins.backends.ldap.certificates import why_no_secure_line
from musterroll_plugins.backends.ldap.errors import LOST, described, hidden, said, sign_in_code
from musterroll_plugins.backends.ldap.options import LdapOptions
from musterroll_plugins.backends.ldap.requests import (
    ANY,
    POST_READ,
    Answer,
    Found,
    Line,
    Request,
    Search,
    ToldAfterwards,
)

# A thread that waits looks up so often: nothing else lets Ctrl-C in.
_GLANCE_SECONDS = 0.2
# So long the answers to what is under way are waited for when the person interrupts.
_FAREWELL_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 10.0

_CONTROLS = {**KNOWN_RESPONSE_CONTROLS, POST_READ: ToldAfterwards}

_NOT_LET_IN = {
    "52e": "the user or the password is wrong",
    "525": "there is no such user",
    "530": "it may not sign in at this time",
    "531": "it may not sign in from this machine",
    "532": "its password has expired",
    "533": "the account is disabled",
    "701": "the account has expired",
    "773": "it must change its password first",
    "775": "the account is locked",
}


class Connection:
    """A connection to one of a directory's servers. For one thread.

    Args:
        options: of the backend.
        context: of the instance.
        retries: so often all servers are tried again when none can be reached.

    Raises:
        PipelineError: the password cannot be read.
    """

    def __init__(self, options: LdapOptions, context: Context, retries: int) -> None:
        self._options, self._context, self._retries = options, context, retries
        self._password = None if options.password is None else context.secret(options.password)
        self._line: Line = None
        self._server = 0  # which one of the servers
        self.pages = False
        """Whether the server gives its answers page by page; known after the first look at it."""

    @property
    def line(self) -> Line:
        """The connection itself.

        Raises:
            BackendUnavailableError: no server can be reached.
            BackendError: none lets us in.
        """
        if self._line is None:
            self._connect()
        return self._line

    @property
    def server(self) -> str:
        """The address of the server that is connected, or was."""
        return self._options.servers[self._server]

    def lose(self) -> None:
        """Drops a connection that is of no use any more; the next request makes another one."""
        line, self._line = self._line, None
        if line is not None:
            with suppress(ldap.LDAPError):  # it may be gone already
                line.unbind_ext_s()

    close = lose

    # -- asking ---------------------------------------------------------------------------------------------

    def ask(self, request: Request) -> Answer:
        """Sends one request and waits for the answer.

        Raises:
            ldap.LDAPError: the server refuses it.
        """
        number = request.send(self.line)
        _, answer = self.receive(number)
        return answer

    def receive(self, number: int = ldap.RES_ANY) -> tuple[int, Answer]:
        """Waits for the answer to one request, or to whichever is answered first.

        Returns:
            The request's number, and the answer.

        Raises:
            ldap.LDAPError: the server refuses it (`number_of` says what), or the line is lost.
        """
        waited = 0.0
        while True:
            try:
                _, data, answered, controls, _, _ = self.line.result4(number, 1, _GLANCE_SECONDS, 0, 0, 0, _CONTROLS)
            except ldap.TIMEOUT:
                waited += _GLANCE_SECONDS
                most = self._options.timeout
                if self._context.cancelled.is_set():
                    most = min(most, _FAREWELL_SECONDS)
                if waited < most:
                    continue
                raise
            return answered, Answer(_found(data) if data else (), controls or ())

    def search(self, base: str, filter_: str, attributes: Sequence[str]) -> Iterator[Found]:
        """Yields what is found below an entry, page by page.

        Raises:
            ldap.LDAPError: the server refuses it.
        """
        cookie: bytes | str = ""
        while True:
            size = self._options.page_size
            controls = [SimplePagedResultsControl(True, size=size, cookie=cookie)] if self.pages and size else []
            number = self.line.search_ext(base, ldap.SCOPE_SUBTREE, filter_, list(attributes), serverctrls=controls)
            _, answer = self.receive(number)
            yield from answer.entries
            cookie = next((c.cookie for c in answer.controls if isinstance(c, SimplePagedResultsControl)), b"")
            if not cookie:
                return

    def read(self, dn: str, attributes: Sequence[str], filter_: str = ANY) -> Found | None:
        """Reads one entry; None where it is not there, or not to be seen."""
        try:
            answer = self.ask(Search(dn, filter_, attributes))
        except (ldap.NO_SUCH_OBJECT, ldap.INVALID_DN_SYNTAX):
            return None
        return answer.entries[0] if answer.entries else None

    def read_all(self, dns: Sequence[str], attributes: Sequence[str]) -> Iterator[Found]:
        """Yields entries, in any order, without those that are not there; many are asked for at once.

        Raises:
            ldap.LDAPError: the server refuses it.
        """
        waiting = set[int]()
        left = iter(dns)
        while True:
            for dn in islice(left, self._options.in_flight - len(waiting)):
                waiting.add(Search(dn, ANY, attributes).send(self.line))
            if not waiting:
                return
            try:
                number, answer = self.receive()
            except (ldap.NO_SUCH_OBJECT, ldap.INVALID_DN_SYNTAX) as error:
                waiting.discard(number_of(error) or 0)
            else:
                waiting.discard(number)
                yield from answer.entries

    # -- connecting -----------------------------------------------------------------------------------------

    def _connect(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        for attempt in chain(range(self._retries), (None,)):
            failures = []
            count = len(self._options.servers)
            for _ in range(count):
                try:
                    self._line = self._open(self.server)
                except LOST as error:
                    failures.append(self._unreachable(error))
                    self._server = (self._server + 1) % count
                else:
                    return
            certain = [error for error in failures if not isinstance(error, BackendUnavailableError)]
            if certain and len(certain) == count:  # waiting makes no certificate trusted
                raise certain[0]
            if attempt is None or self._context.cancelled.wait(pause):
                raise failures[0]
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _open(self, server: str) -> Line:
        line = ldap.initialize(server)
        line.set_option(ldap.OPT_PROTOCOL_VERSION, 3)
        line.set_option(ldap.OPT_REFERRALS, 0)
        line.set_option(ldap.OPT_NETWORK_TIMEOUT, self._options.timeout)
        line.set_option(ldap.OPT_TIMEOUT, self._options.timeout)
        try:
            if self._options.security == "tls" and not server.startswith("ldapi:"):
                line.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND)
                if file := authorities(self._options):
                    line.set_option(ldap.OPT_X_TLS_CACERTFILE, file)
                line.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
                if server.startswith("ldap:"):
                    self._start_tls(line, server)
            elif server.startswith("ldaps:"):
                raise BackendError(f'{server} is an encrypted line; set security to "tls", or write ldap:')
            self._sign_in(line, server)
        except BaseException:
            with suppress(ldap.LDAPError):
                line.unbind_ext_s()
            raise
        return line

    def _start_tls(self, line: Line, server: str) -> None:
        try:
            line.start_tls_s()
        except LOST:
            raise
        except ldap.LDAPError as error:
            raise BackendError(
                f"{server} does not offer an encrypted line: {described(error)}; "
                "have a certificate installed there, or use an address that begins with ldaps:"
            ) from None

    def _sign_in(self, line: Line, server: str) -> None:
        who = self._options.user
        try:
            if who is None:
                line.sasl_external_bind_s()
            else:
                assert self._password is not None
                line.simple_bind_s(who, self._password.reveal())
        except LOST:
            raise
        except ldap.INVALID_CREDENTIALS as error:
            why = _NOT_LET_IN.get(sign_in_code(error), "the user or the password is wrong")
            raise BackendError(f"{server} does not let us in as {who or 'this machine'}: {why}") from None
        except ldap.LDAPError as error:
            words = hidden(described(error), [self._password])
            raise BackendError(f"{server} does not let us in as {who or 'this machine'}: {words}") from None

    def _unreachable(self, error: ldap.LDAPError) -> BackendError:
        if self._options.security == "tls" and not self.server.startswith("ldapi:"):
            why = why_no_secure_line(self.server, authorities(self._options), self._options.timeout)
            if why is not None:
                return BackendError(why)
        words = "it does not answer" if isinstance(error, ldap.TIMEOUT) else "it cannot be reached"
        return BackendUnavailableError(f"{self.server}: {words} ({said(error)}); check the address and the network")

    @property
    def password(self) -> Secret | None:
        """That of the account, to be taken out of what servers say."""
        return self._password


def authorities(options: LdapOptions) -> str | None:
    """Returns the file with the authorities that are trusted.

    Raises:
        BackendError: the file of the option `ca` cannot be used.
    """
    if options.ca is None:
        return ssl.get_default_verify_paths().cafile
    try:
        ssl.create_default_context(cafile=str(options.ca))
    except (OSError, ssl.SSLError) as error:
        reason = "it holds no certificates in PEM" if isinstance(error, ssl.SSLError) else error.strerror
        raise BackendError(f"the certificate file {options.ca} cannot be used: {reason}") from None
    return str(options.ca)


def number_of(error: ldap.LDAPError) -> int | None:
    """Returns the number of the request that was refused; None where the error is of the line as a whole."""
    about = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    number = about.get("msgid")
    return number if isinstance(number, int) and not isinstance(error, LOST) else None


def _found(data: object) -> list[Found]:
    if not isinstance(data, list):
        return []
    # What a search points elsewhere for has no name of its own: referrals are not followed.
    return [
        Found(dn, {name.lower(): values for name, values in entry.items()}) for dn, entry, *_ in data if dn is not None
    ]
