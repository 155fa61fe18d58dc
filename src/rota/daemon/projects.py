"""Which project a job is charged to."""

from __future__ import annotations

from collections.abc import Mapping

from rota.domain.members import PERSONAL, Project
from rota.errors import BadRequest, NotAllowed


def choose_project(named: str | None, member: str, projects: Mapping[str, Project]) -> str:
    """The project to charge; never a silent choice between several.

    Until a laboratory has named its first project, any name is accepted and no name means `personal`.

    Raises BadRequest when the name is unknown or one must be chosen, NotAllowed for somebody else's project.
    """
    if not projects:
        return named or PERSONAL
    open_to_member = sorted(p.name for p in projects.values() if not p.members or member in p.members)
    choices = f"Yours are: {', '.join(open_to_member)}." if open_to_member else "You are in none; ask a project's lead."
    if named is None:
        if len(open_to_member) == 1:
            return open_to_member[0]
        raise BadRequest(f"Which project pays? Say it with --project. {choices}")
    if named not in projects:
        raise BadRequest(f"There is no project {named!r}. {choices}")
    if named not in open_to_member:
        raise NotAllowed(f"{member} is not a member of project {named}. {choices}")
    return named
