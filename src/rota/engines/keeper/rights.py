"""A keeper that is root touches what belongs to a member only with that member's rights.

A member could have made a symbolic link of any file in their own folders; opened as root, it would lend root's rights.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from rota.engines.keeper.order import TurnOrder


@contextlib.contextmanager
def as_member(order: TurnOrder) -> Iterator[None]:
    """Effective user and groups of the member inside, root's again afterwards; nothing when we are not root."""
    if os.getuid() != 0 or order.uid == 0:
        yield
        return
    own_groups = os.getgroups()
    os.setgroups(order.groups)
    os.setegid(order.gid)
    os.seteuid(order.uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(own_groups)


def become_member(order: TurnOrder) -> None:
    """For good: in the job's own process, before it is executed. Raises OSError."""
    if os.getuid() == 0:
        os.setgroups(order.groups)
        os.setresgid(order.gid, order.gid, order.gid)
        os.setresuid(order.uid, order.uid, order.uid)
