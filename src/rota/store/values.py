"""Values of the domain as JSON and back, exactly: what is read equals what was written."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any, cast

from rota.domain.forecasts import Promise, Range
from rota.domain.jobs import AfterTurn, Dependency, Job, JobState, Launch, Request
from rota.domain.members import Project, ProjectKind
from rota.domain.reasons import Reason, TurnEnded
from rota.domain.turns import Outcome, Turn, TurnState


def job_to_json(job: Job) -> str:
    """A job with its request and last end."""
    last_end = job.last_end.to_dict() if job.last_end else None
    return json.dumps({**asdict(job), "last_end": last_end})


def job_from_json(written: str) -> Job:
    """The job that `job_to_json` wrote. Fields that a newer Rota added have their defaults."""
    value = json.loads(written)
    request = value["request"]
    request["tiers"] = tuple(request["tiers"])
    request["after"] = tuple(Dependency(**wanted) for wanted in request["after"])
    value["request"] = Request(**request)
    value["state"] = JobState(value["state"])
    value["after_turn"] = AfterTurn(value["after_turn"]) if value["after_turn"] else None
    value["progress"] = tuple(value["progress"]) if value["progress"] else None
    value["last_end"] = cast(TurnEnded, Reason.from_dict(value["last_end"])) if value["last_end"] else None
    return Job(**value)


def turn_to_json(turn: Turn) -> str:
    """A turn."""
    return json.dumps(asdict(turn))


def turn_from_json(written: str) -> Turn:
    """The turn that `turn_to_json` wrote."""
    value = json.loads(written)
    value["gpus"] = tuple(value["gpus"])
    value["state"] = TurnState(value["state"])
    value["outcome"] = Outcome(value["outcome"]) if value["outcome"] else None
    return Turn(**value)


def launch_to_json(launch: Launch) -> tuple[str, str, str]:
    """A launch without its environment, the environment's SHA-256, and the environment."""
    value: dict[str, Any] = asdict(launch)
    environment = json.dumps(value.pop("environment"), sort_keys=True)
    return json.dumps(value), hashlib.sha256(environment.encode()).hexdigest(), environment


def launch_from_json(written: str, environment: str) -> Launch:
    """The launch that `launch_to_json` wrote."""
    value = json.loads(written)
    value["argv"], value["groups"] = tuple(value["argv"]), tuple(value["groups"])
    return Launch(**value, environment=json.loads(environment))


def project_to_json(project: Project) -> str:
    """A project."""
    return json.dumps(asdict(project))


def project_from_json(written: str) -> Project:
    """The project that `project_to_json` wrote."""
    value = json.loads(written)
    value["kind"], value["members"] = ProjectKind(value["kind"]), tuple(value["members"])
    return Project(**value)


def promise_to_json(promise: Promise) -> str:
    """A promise."""
    return json.dumps(asdict(promise))


def promise_from_json(written: str) -> Promise:
    """The promise that `promise_to_json` wrote."""
    value = json.loads(written)
    value["raw"], value["told"] = Range(**value["raw"]), Range(**value["told"])
    return Promise(**value)
