"""/fleet and /projects: the GPUs, and what work is charged to."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter

from rota.api.depends import Here, Me
from rota.api.schemas import Done, DrainBody, FleetView, ProjectBody, ProjectsView, ProjectView
from rota.api.site import Site
from rota.api.views import gpu_views
from rota.daemon.commands import AddProject, Mark
from rota.domain.gpus import Condition
from rota.domain.members import Project, ProjectKind
from rota.errors import NoSuchThing

routes = APIRouter(tags=["fleet"])


@routes.get("/fleet")
async def fleet(me: Me, site: Here) -> FleetView:
    """Every GPU and what it does now."""
    known = site.core.laboratory.fleet
    return FleetView(at=site.clock(), is_simulated=known.is_simulated, tiers=list(known.tiers), gpus=gpu_views(site))


@routes.post("/fleet/{gpu}/drain")
async def drain(gpu: str, body: DrainBody, by: Me, site: Here) -> Done:
    """Let no further turn begin there; turns on it end politely after their quantum."""
    answer = await site.service.ask(Mark(by, _named(gpu, site), Condition.DRAINED, body.why))
    return Done(message="\n".join(answer.message))


@routes.post("/fleet/{gpu}/resume")
async def resume(gpu: str, by: Me, site: Here) -> Done:
    """Put a drained or failed GPU back into service."""
    answer = await site.service.ask(Mark(by, _named(gpu, site), Condition.HEALTHY))
    return Done(message="\n".join(answer.message))


def _named(name: str, site: Site) -> tuple[str, ...]:
    """UUIDs of what a person calls `node:index`, a UUID, or a node for all of its GPUs."""
    gpus = site.core.laboratory.fleet.gpus
    found = tuple(gpu.uuid for gpu in gpus if name in (gpu.label, gpu.uuid, gpu.node))
    if not found:
        some = ", ".join(gpu.label for gpu in gpus[:3])
        raise NoSuchThing(f"There is no GPU or node {name!r}. They are written like {some}; see: rota fleet")
    return found


@routes.get("/projects")
async def projects(me: Me, site: Here) -> ProjectsView:
    """Projects and what each has received lately."""
    usage = site.core.usage_by_project(site.clock())
    return ProjectsView(projects=[_project_view(known, usage) for known in site.core.books.projects.values()])


@routes.post("/projects", status_code=201)
async def add_project(body: ProjectBody, by: Me, site: Here) -> ProjectView:
    """Add a project, or change the one of that name."""
    project = Project(body.name, ProjectKind(body.kind), body.weight, tuple(body.members))
    await site.service.ask(AddProject(by, project))
    return _project_view(project, site.core.usage_by_project(site.clock()))


def _project_view(project: Project, usage_gpu_s: Mapping[str, float]) -> ProjectView:
    return ProjectView(
        name=project.name,
        kind=project.kind.value,
        weight=project.weight,
        members=list(project.members),
        usage_gpu_s=round(usage_gpu_s.get(project.name, 0.0), 3),
    )
