"""Another host on this machine, as far as the network knows: one whose power can be cut."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

NAME, NEAR, FAR = "rota-far", "rota-near0", "rota-far0"


@dataclass(frozen=True)
class FarHost:
    """A network namespace, and the cable to it (ip-netns(8))."""

    address_here: str = "10.231.77.1"
    address_there: str = "10.231.77.2"

    @property
    def prefix(self) -> list[str]:
        """Before a command that is to run there."""
        return ["ip", "netns", "exec", NAME]

    def cut(self) -> None:
        """From now on nothing that is sent arrives, and nobody is told."""
        _ip("link", "set", NEAR, "down")

    def mend(self) -> None:
        _ip("link", "set", NEAR, "up")


@contextmanager
def far_host() -> Iterator[FarHost]:
    """Needs root; a skip with the reason elsewhere, and where namespaces cannot be made."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("needs root and iproute2, to make a network namespace")
    host = FarHost()
    try:
        _ip("netns", "add", NAME)
    except subprocess.CalledProcessError:
        pytest.skip("this container may not make a network namespace")
    try:
        _ip("link", "add", NEAR, "type", "veth", "peer", "name", FAR, "netns", NAME)
        _ip("addr", "add", f"{host.address_here}/30", "dev", NEAR)
        _ip("link", "set", NEAR, "up")
        _ip("-n", NAME, "addr", "add", f"{host.address_there}/30", "dev", FAR)
        for device in (FAR, "lo"):
            _ip("-n", NAME, "link", "set", device, "up")
        yield host
    finally:
        _ip("netns", "del", NAME)  # and with it both ends of the cable


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
