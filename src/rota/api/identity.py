"""Who is calling: the kernel's word on the Unix socket, a session cookie on the web."""

from __future__ import annotations

import hashlib
import pwd
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import Request

from rota.api.peers import Peer
from rota.domain.members import Member
from rota.errors import NotAllowed
from rota.store.contract import Session, Store

COOKIE = "rota_session"
LINK_LIFE_S = 600.0
SESSION_LIFE_S = 30 * 86400.0


@dataclass(slots=True)
class Identity:
    """Decides who a request comes from, and hands out one-time links."""

    own_uid: int  #: of the daemon
    admins: frozenset[str]
    store: Store
    clock: Callable[[], float]
    _links: dict[str, tuple[Member, float]] = field(default_factory=dict)  #: token hash -> who, until when

    def caller(self, request: Request) -> Member:
        """The member behind a request. Raises NotAllowed."""
        peer: Peer | None = getattr(request.state, "peer", None)
        if peer is not None:
            return self._member(peer.uid)
        session = self._session(request)
        if session is None:
            raise NotAllowed("This browser is not signed in. Type `rota web` on the machine and open its link.")
        _refuse_foreign_page(request)
        return self.member(session.uid, session.member)

    def is_signed_in(self, request: Request) -> bool:
        """Whether a page may be shown to this browser."""
        return getattr(request.state, "peer", None) is not None or self._session(request) is not None

    def _session(self, request: Request) -> Session | None:
        token = request.cookies.get(COOKIE)
        return self.store.session(_hash(token), self.clock()) if token else None

    def _member(self, uid: int) -> Member:
        if self.own_uid not in (0, uid) and uid != 0:
            owner = account_name(self.own_uid)
            raise NotAllowed(f"This Rota was started by {owner} and serves {owner} alone. Ask for one started by root.")
        return self.member(uid, account_name(uid))

    def member(self, uid: int, name: str) -> Member:
        """A member with the rights in force."""
        return Member(name, uid, is_admin=uid in (0, self.own_uid) or name in self.admins)

    # --- one-time links ---------------------------------------------------------------------------

    def make_link(self, member: Member) -> tuple[str, float]:
        """A token that lets one browser in as this member, once, and until when."""
        now = self.clock()
        self._links = {key: (who, until) for key, (who, until) in self._links.items() if until > now}
        token, until = secrets.token_urlsafe(24), now + LINK_LIFE_S
        self._links[_hash(token)] = (member, until)
        return token, until

    def use_link(self, token: str) -> str | None:
        """The token of a new session; None when the link was used, is too old, or never was."""
        member, until = self._links.pop(_hash(token), (None, 0.0))
        now = self.clock()
        if member is None or until <= now:
            return None
        session = secrets.token_urlsafe(32)
        self.store.keep_session(Session(_hash(session), member.name, member.uid, now + SESSION_LIFE_S))
        return session


def account_name(uid: int) -> str:
    """The Unix account of a uid; a number without an account is named for what it is."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid{uid}"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _refuse_foreign_page(request: Request) -> None:
    """A page of another site must not act through a member's cookie (cross-site request forgery)."""
    if request.method in ("GET", "HEAD"):
        return
    origin = request.headers.get("origin", "")
    if origin.partition("://")[2] != request.headers.get("host", ""):
        raise NotAllowed("This came from another site's page, so it was not done. Do it on Rota's own page.")
