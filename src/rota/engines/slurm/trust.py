"""What a turn's keeper wrote, held against what its member cannot write.

Under Slurm the keeper is the member's own process, and so is its folder: GPU time counts in a career, so no figure from
there is taken that Slurm's own clock does not allow. What is too small shows in `rota slurm records`.
"""

from __future__ import annotations

from dataclasses import replace

from rota.engines.contract import Ended
from rota.slurm.listing import Listed

TOLERANCE_S = 5.0  # between the listing and the end; Slurm counts whole seconds


def as_slurm_allows(ended: Ended, listed: Listed | None, listing_age_s: float, now: float) -> Ended:
    """The end with no more time than Slurm has counted for its job, and not later than now.

    `listing_age_s`: since Slurm was asked. Without `listed` there is nothing to hold against it.
    """
    most_s = ended.clock_s if listed is None else listed.elapsed_s + listing_age_s + TOLERANCE_S
    return replace(ended, at=min(ended.at, now), clock_s=max(min(ended.clock_s, most_s), 0.0))
