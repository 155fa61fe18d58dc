"""Random jobs, turns and transitions."""

from __future__ import annotations

from hypothesis import strategies as st

from rota.domain.jobs import AfterTurn, Dependency, Job, JobState, Launch, Request, Transition
from rota.domain.reasons import AheadOfYou, Asked, GangForms, Reason, TurnEnded, YourTurn
from rota.domain.turns import Outcome, Turn, TurnState

text = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20)
names = text.filter(bool)
times = st.floats(0, 4e9)
seconds = st.floats(0, 1e8)
maybe_times = st.none() | times

turn_ends = st.builds(TurnEnded, text, st.none() | st.integers(0, 255), maybe_times, seconds, text)
reasons: st.SearchStrategy[Reason] = st.one_of(
    st.builds(Asked, text, text),
    st.builds(AheadOfYou, st.integers(0, 9), st.integers(0, 9), maybe_times),
    st.builds(GangForms, text, st.integers(1, 9), st.integers(0, 9), maybe_times),
    st.builds(YourTurn, seconds, st.integers(0, 9)),
    turn_ends,
)
requests = st.builds(
    Request,
    gpus=st.integers(1, 64),
    gpu_memory_bytes=st.integers(0, 2**40),
    tiers=st.lists(names, max_size=3).map(tuple),
    checkpoint=st.none() | text,
    time_s=st.none() | seconds,
    after=st.lists(st.builds(Dependency, st.integers(1, 9), st.booleans()), max_size=2).map(tuple),
)


def jobs(ids: st.SearchStrategy[int]) -> st.SearchStrategy[Job]:
    """Jobs whose end time says whether they are over, as move_job makes them."""
    made = st.builds(
        Job,
        id=ids,
        name=text,
        member=names,
        project=names,
        request=requests,
        submitted_at=times,
        state=st.sampled_from(JobState),
        waiting_since=times,
        attained_gpu_s=seconds,
        after_turn=st.none() | st.sampled_from(AfterTurn),
        saving_interval_s=st.none() | seconds,
        progress=st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9)),
        ended_at=st.just(1.0),
        last_end=st.none() | turn_ends,
    )
    return made.map(_with_end)


def _with_end(job: Job) -> Job:
    from dataclasses import replace

    return replace(job, ended_at=5.0 if job.state.is_final else None)


def turns(job: int) -> st.SearchStrategy[list[Turn]]:
    """Turns of one job, numbered."""

    def build(parts: list[tuple[TurnState, Outcome | None, float, list[str]]]) -> list[Turn]:
        return [
            Turn(
                id=f"{job}.{number}", job=job, number=number, gpus=tuple(gpus), node="n", tier="t", granted_at=at,
                guaranteed_until=at + 1, state=state, outcome=outcome,
                ended_at=at + 2 if state is TurnState.ENDED else None, gpu_s=at / 7,
            )
            for number, (state, outcome, at, gpus) in enumerate(parts, start=1)
        ]  # fmt: skip

    part = st.tuples(
        st.sampled_from(TurnState), st.none() | st.sampled_from(Outcome), times, st.lists(names, max_size=3)
    )
    return st.lists(part, max_size=4).map(build)


transitions = st.builds(Transition, st.just("job"), st.just("1"), text, text, times, reasons)
launches = st.builds(
    Launch,
    argv=st.lists(text, min_size=1, max_size=4).map(tuple),
    cwd=text,
    environment=st.dictionaries(names, text, max_size=4),
    umask=st.integers(0, 0o777),
    groups=st.lists(st.integers(0, 9), max_size=3).map(tuple),
    output=st.none() | text,
)
