"""Members and the projects that their work is charged to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: What a job is charged to when its member names no project and the laboratory keeps none.
PERSONAL = "personal"


class ProjectKind(StrEnum):
    """Who pays for it."""

    FUNDED = "funded"
    PERSONAL = "personal"
    CLASS = "class"
    INDUSTRY = "industry"


@dataclass(frozen=True, slots=True)
class Project:
    """What work is charged to."""

    name: str
    kind: ProjectKind = ProjectKind.PERSONAL
    weight: float = 1.0  #: its share against the other projects' weights
    members: tuple[str, ...] = ()  #: empty: anybody may charge to it


@dataclass(frozen=True, slots=True)
class Member:
    """A person with a Unix account."""

    name: str
    uid: int
    is_admin: bool = False
