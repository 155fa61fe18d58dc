"""How long a job runs in all, from what is known: its progress, its member's --time, jobs like it.

The three are trusted in this order. Each is a plain guess for the policy to weigh, not a promise.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from rota.domain.estimates import Estimate, Source
from rota.domain.jobs import Job, JobState

#: Progress says something once a job has run so long and come so far: before, its start-up is most of what is seen.
LEAST_RAN_S = 60.0
LEAST_PART = 0.01
#: So many finished jobs are needed before others are expected to be like them,
LEAST_ALIKE = 3
#: and of more, the latest so many count.
MOST_ALIKE = 50
_INTERPRETERS = ("python", "bash", "sh", "zsh", "env", "torchrun", "accelerate", "deepspeed", "uv", "srun", "nice")
_SCRIPTS = (".py", ".sh", ".r", ".jl")

#: What makes jobs alike: member, project, script, GPUs; or, knowing less, member and GPUs.
Kind = tuple[str, str, str, int]


def from_progress(progress: tuple[int, int] | None, ran_s: float, pace: float | None = None) -> Estimate | None:
    """What it has run plus what is left at its pace: `ran_s` seconds of all turns have brought it to `step` of `total`.

    `pace` is the part of the job that it does in a second of late (see course.py). The mean since its beginning, which
    is taken where none is known, counts every start-up and every step that was lost and done again as if what is left
    would cost them once more: a job of one hour that has compiled for ten minutes and run for ten would take two.
    """
    if progress is None or ran_s < LEAST_RAN_S:
        return None
    step, total = progress
    if total <= 0 or step < LEAST_PART * total:
        return None
    part = min(step / total, 1.0)
    return Estimate(ran_s + (1.0 - part) / (pace or part / ran_s), Source.PROGRESS)


def stated(job: Job) -> Estimate | None:
    """Its member's own guess. Without a checkpoint it is a limit as well, and then at least not too short."""
    return Estimate(job.request.time_s, Source.STATED) if job.request.time_s else None


def script_of(command: str) -> str:
    """What a command line runs: the script, not its interpreter or its options.

    >>> script_of("torchrun --nproc-per-node 2 train.py --lr 0.1"), script_of("/opt/bin/count 5"), script_of("")
    ('train.py', 'count', '')
    """
    words = [word.rpartition("/")[2] for word in command.split() if not word.startswith("-")]
    scripts = [word for word in words if word.lower().endswith(_SCRIPTS)]
    others = [word for word in words if not word.startswith(_INTERPRETERS)]
    return (scripts or others or words or [""])[0]


@dataclass(slots=True)
class LikeJobs:
    """Run times of finished jobs, by kind."""

    _run_s: dict[Kind, deque[float]] = field(default_factory=dict)
    _medians: dict[Kind, float] = field(default_factory=dict)

    @staticmethod
    def of(jobs: Iterable[Job]) -> LikeJobs:
        """From the jobs of the past, the oldest first."""
        like_jobs = LikeJobs()
        for job in jobs:
            like_jobs.add(job)
        return like_jobs

    def add(self, job: Job) -> bool:
        """Learn from a job that has ended; says whether there was something to learn."""
        run_s = job.attained_gpu_s / job.request.gpus
        if job.state is not JobState.FINISHED or run_s <= 0:
            return False
        for kind in _kinds(job):
            times = self._run_s.setdefault(kind, deque(maxlen=MOST_ALIKE))
            times.append(run_s)
            if len(times) >= LEAST_ALIKE:
                self._medians[kind] = median(times)
        return True

    def estimate(self, job: Job) -> Estimate | None:
        """The median of those most like it."""
        for kind in _kinds(job):
            if kind in self._medians:
                return Estimate(self._medians[kind], Source.LIKE_JOBS)
        return None


def _kinds(job: Job) -> tuple[Kind, Kind]:
    gpus = job.request.gpus
    return (job.member, job.project, script_of(job.command), gpus), (job.member, "", "", gpus)
