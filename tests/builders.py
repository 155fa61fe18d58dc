"""Values with sensible defaults: a test names only what it is about."""

from __future__ import annotations

from dataclasses import replace

from rota.domain.forecasts import Promise, Range
from rota.domain.gpus import Fleet, Gpu, Node
from rota.domain.jobs import Job, JobState, Launch, Request
from rota.domain.turns import Turn, TurnState, turn_id

GIB = 2**30


def a_request(**changes: object) -> Request:
    """One GPU of any tier, resumable."""
    return replace(Request(checkpoint="/tmp/checkpoint"), **changes)  # type: ignore[arg-type]  # names checked at run time


def a_job(id: int = 1, *, member: str = "kim", project: str = "vision", **changes: object) -> Job:
    """A waiting, resumable one-GPU job. Fields of Request may be given as well as those of Job."""
    asked = {name: changes.pop(name) for name in list(changes) if name in Request.__dataclass_fields__}
    job = Job(
        id=id, name=f"job-{id}", member=member, project=project, request=a_request(**asked), submitted_at=float(id)
    )
    return replace(job, **{"waiting_since": job.submitted_at, **changes})  # type: ignore[arg-type]  # as above


def a_turn(job: int = 1, number: int = 1, *, gpus: tuple[str, ...] = ("gpu-0",), **changes: object) -> Turn:
    """A running turn that began at 0 and is guaranteed until 100."""
    turn = Turn(
        id=turn_id(job, number), job=job, number=number, gpus=gpus, node="lab", tier="h100",
        granted_at=0.0, guaranteed_until=100.0, state=TurnState.RUNNING, began_at=0.0,
    )  # fmt: skip
    return replace(turn, **changes)  # type: ignore[arg-type]  # as above


def a_range(early: float = 100.0, likely: float = 200.0, late: float = 300.0) -> Range:
    """A moment between 100 and 300, likely 200."""
    return Range(early, likely, late)


def a_promise(job: int = 1, turn: int = 1, **changes: object) -> Promise:
    """Made at 0 for a one-GPU job on h100; not yet begun."""
    promise = Promise(job, turn, gpus=1, tier="h100", made_at=0.0, raw=a_range(), told=a_range())
    return replace(promise, **changes)  # type: ignore[arg-type]  # as above


def a_gpu(index: int = 0, *, node: str = "lab", tier: str = "h100", **changes: object) -> Gpu:
    """An 80 GiB simulated GPU; its UUID is `gpu-<index>` on node lab, else `<node>-<index>`."""
    uuid = f"gpu-{index}" if node == "lab" else f"{node}-{index}"
    gpu = Gpu(uuid, index, node, tier, tier.upper(), 80 * GIB, is_simulated=True)
    return replace(gpu, **changes)  # type: ignore[arg-type]  # as above


def a_fleet(**nodes: tuple[str, int]) -> Fleet:
    """A fleet from node names: `a_fleet(big=("h100", 4), small=("rtx3090", 2))`; default one node lab with 4 h100."""
    wanted = nodes or {"lab": ("h100", 4)}
    gpus = tuple(a_gpu(i, node=node, tier=tier) for node, (tier, count) in wanted.items() for i in range(count))
    tiers = tuple(dict.fromkeys(tier for tier, _ in wanted.values()))
    return Fleet(tuple(Node(node, 64, 512 * GIB) for node in wanted), gpus, tiers, is_simulated=True)


def a_launch(*argv: str, **changes: object) -> Launch:
    """How to start `true` in /tmp."""
    return replace(Launch(argv=argv or ("true",), cwd="/tmp"), **changes)  # type: ignore[arg-type]  # as above


__all__ = ["GIB", "JobState", "a_fleet", "a_gpu", "a_job", "a_launch", "a_promise", "a_range", "a_request", "a_turn"]
