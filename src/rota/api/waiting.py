"""Why a job waits, in sentences: who comes before it and by how much, and what would have to happen."""

from __future__ import annotations

from rota.api.wording import clock, other_sentence
from rota.domain.counts import say_count
from rota.domain.durations import say_duration
from rota.domain.jobs import Job
from rota.domain.reasons import (
    AheadOfYou,
    Because,
    FollowsJobs,
    GangForms,
    GapTooShort,
    NodeIsFull,
    NothingFits,
    PlaceKept,
    Reason,
    ReservedFor,
    SavesForGang,
    SoonerElsewhere,
    TooLongInOnePiece,
)


def waiting_sentence(reason: Reason, now: float) -> str:
    """Why a job waits, short enough for a list."""
    match reason:
        case AheadOfYou(jobs, turns, free_at):
            ahead = f"{say_count(jobs, 'job')} ahead" if jobs else "Next in line"
            until = f"; the first guaranteed time ends at {clock(free_at, now)}" if free_at else ""
            return f"{ahead}; {say_count(turns, 'turn')} on the GPUs that it could use{until}."
        case PlaceKept(stopped, node, free_by):
            by = f", at the latest {clock(free_by, now)}" if free_by else ""
            is_saving = "is saving and then ends" if len(stopped) == 1 else "are saving and then end"
            return f"Next on {node}: {say_count(len(stopped), 'turn')} there {is_saving}{by}."
        case GangForms(node, needed, free_now, whole_at):
            at = f" about {clock(whole_at, now)}" if whole_at else ""
            return f"Needs {needed} GPUs together; {node} has {free_now} free and is whole{at or ' later'}."
        case GapTooShort(kept_for, gap_s, needs_s):
            return (
                f"The free GPUs are kept for job {kept_for} in {say_duration(gap_s)}; "
                f"this job could need {say_duration(needs_s)}."
            )
        case SavesForGang(gang, gpus):
            return (
                f"Job {gang} of the same member is overdue and needs {gpus} GPUs together: until others have caught up "
                "and it has begun, no other job of theirs begins in this project."
            )
        case ReservedFor(reservation, from_at, needs_s):
            since = f"from {clock(from_at, now)} on" if from_at > now else "now"
            return f"The free GPUs are reserved for {reservation} {since}; this job could need {say_duration(needs_s)}."
        case SoonerElsewhere(free_tier, better_tier, wait_s, times_faster):
            return (
                f"{free_tier} is free, but {better_tier} is {times_faster:.1f} times as fast: it is done sooner there, "
                f"after {say_duration(wait_s)} of waiting at most."
            )
        case FollowsJobs(jobs):
            return f"Starts after {_have_ended(jobs)}."
        case NothingFits(gpus, tiers):
            return f"No node in service has {say_count(gpus, 'GPU')} of {', '.join(tiers) or 'any tier'} for it."
        case TooLongInOnePiece(needs_s, quantum_s, first_turns):
            return (
                f"Without a --checkpoint it would hold its GPUs for {say_duration(needs_s)}, longer than a quantum of "
                f"{say_duration(quantum_s)}, and {say_count(first_turns, 'job')} wait for a first turn there."
            )
        case NodeIsFull(node, what):
            return f"{node} has free GPUs, but not enough {what} beside them."
    return other_sentence(reason, now)


def remedy_sentence(reason: Reason, job: Job) -> str:
    """Who comes right before it and by which rule, or what would let it begin; "" where there is no more to say."""
    match reason:
        case AheadOfYou() if reason.first is not None:
            return f"Right before it comes job {reason.first} of {reason.first_member}: {_because(reason, job)}."
        case SoonerElsewhere(free_tier, _, _, _):
            return f"To start it on {free_tier} now: rota move {job.id} --tier {free_tier}"
        case GapTooShort() | ReservedFor() if not job.request.is_resumable:
            return "A shorter --time, if that is enough for it, would let it begin before."
        case TooLongInOnePiece(_, quantum_s, _):
            return f"With a --checkpoint, or a --time of at most {say_duration(quantum_s)}, it could begin."
        case NothingFits():
            return "It begins when a GPU is back in service (rota fleet), or on others: rota move --help"
    return ""


def begin_sentence(latest_at: float | None, now: float) -> str:
    """When its turn comes, as far as can be promised."""
    if latest_at is None:
        return ""
    return (
        f"Its turn begins by {clock(latest_at, now)}, if those ahead take no longer than guaranteed and nobody comes "
        "before it."
    )


def _because(reason: AheadOfYou, job: Job) -> str:
    """By which rule the other job comes first, with both numbers."""
    whose, other = reason.first_member, reason.first_project
    theirs, yours = _span(reason.theirs), _span(reason.yours)
    match reason.because:
        case Because.NOTHING_RUNNING:
            return f"{whose} has nothing running and has waited {theirs} (this job {yours})"
        case Because.SEVERAL_NODES:
            return f"it needs more GPUs than a node has, and has waited {theirs}, longer than {yours}"
        case Because.PROJECT:
            return f"for its share, {other} is {_behind(reason)} behind {job.project}"
        case Because.MEMBER:
            return f"in {job.project}, {whose} is {_behind(reason)} behind {job.member}"
        case Because.IN_TURN:
            one, two = (other, job.project) if other != job.project else (whose, job.member)
            return f"{one} and {two} take turns, and {one} is next"
        case Because.OVERDUE:
            return f"it was submitted {theirs} ago (this job {yours}) and has waited too long for its length"
        case Because.SHORTER:
            return f"it is expected to need {theirs} more, this job {yours}"
        case Because.LESS_SERVED:
            return (
                f"it has had {_had(reason.theirs)}, this job {_had(reason.yours)}, and nothing is known of their "
                "lengths; a progress bar in its output, rota_turn.progress or --time would tell"
            )
        case Because.EARLIER:
            return f"all else is equal, and it was submitted {_span(reason.theirs - reason.yours)} earlier"
    return f"{theirs} against {yours}"


def _behind(reason: AheadOfYou) -> str:
    """The difference: what both have received counts older use for less, and credits, so the sums say little."""
    return f"{_span(reason.yours - reason.theirs)} of GPU time"


def _span(seconds: float) -> str:
    return say_duration(max(seconds, 0.0))


def _had(gpu_s: float) -> str:
    return f"{say_duration(gpu_s)} of GPU time" if gpu_s >= 1 else "no GPU time"


def _have_ended(jobs: tuple[int, ...]) -> str:
    if len(jobs) == 1:
        return f"job {jobs[0]} has ended"
    return f"jobs {', '.join(map(str, jobs[:-1]))} and {jobs[-1]} have ended"
