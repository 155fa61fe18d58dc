"""What `rota doctor` finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `ok` None: nothing wrong, but worth knowing."""

    check: str
    ok: bool | None
    text: str
    mend: str = ""
