"""What stopping and resuming costs: the part of a turn's GPU time in which no new work was done because of it."""

from __future__ import annotations

from rota.domain.turns import Outcome, Turn

#: Loading libraries, data and the checkpoint happens inside the job, where nobody sees it. It is taken to be what a
#: replay charges for a preemption (Lucid, ASPLOS 2023), so that the cost live and the cost replayed are the same.
UNSEEN_RESUME_S = 40.0
#: The ends that Rota brought about; a failure or a lost node costs time as well, but under any quantum.
STOPPED = frozenset({Outcome.SAVED, Outcome.UNSAVED})


def spent_gpu_s(turn: Turn) -> float:
    """How long an ended turn held its GPUs, in GPU-seconds."""
    return max((turn.ended_at or turn.granted_at) - turn.granted_at, 0.0) * len(turn.gpus)


def stop_cost_gpu_s(turn: Turn, is_resumed: bool) -> float:
    """GPU-seconds of an ended turn that went into resuming at its begin and saving, or losing work, at its end.

    `is_resumed`: whether its job had been stopped before. Work that is lost counts from the last save on, and so
    includes the time in which the job tried to save: the two are not added.
    """
    ended_at = turn.ended_at or turn.granted_at
    resuming_s = saving_s = 0.0
    if is_resumed:
        resuming_s = UNSEEN_RESUME_S + max((turn.began_at or ended_at) - turn.granted_at, 0.0)
    if turn.outcome in STOPPED:
        saving_s = max(ended_at - (turn.notice_at or ended_at), turn.lost_s, 0.0)
    return min((resuming_s + saving_s) * len(turn.gpus), spent_gpu_s(turn))
