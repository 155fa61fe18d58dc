"""Random jobs, turns, transitions and launches: every field of every value, every kind of reason."""

from __future__ import annotations

from dataclasses import fields, replace

from hypothesis import strategies as st

from rota.domain.forecasts import Promise, Range
from rota.domain.jobs import AfterTurn, Dependency, Job, JobState, Launch, Request, Transition
from rota.domain.reasons import Reason, TurnEnded
from rota.domain.turns import Outcome, Turn, TurnState, turn_id

#: What a column can hold.
text = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20)
#: What a command line can hold: also bytes that are no UTF-8, as Python hands them on (surrogates).
any_text = st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF), max_size=20)
names = text.filter(bool)
times = st.floats(0, 4e9)
seconds = st.floats(0, 1e8)
counts = st.integers(0, 10_000)
maybe_times = st.none() | times
maybe_seconds = st.none() | seconds
exit_codes = st.none() | st.integers(0, 255)

#: By the annotation of a reason's field. A reason with a new type of field needs a line here.
_FIELDS: dict[str, st.SearchStrategy[object]] = {
    "int": counts,
    "int | None": exit_codes,
    "float": seconds,
    "float | None": maybe_times,
    "str": any_text,
    "tuple[str, ...]": st.lists(any_text, max_size=3).map(tuple),
    "tuple[int, ...]": st.lists(counts, max_size=3).map(tuple),
}


def reasons_of(kind: type[Reason]) -> st.SearchStrategy[Reason]:
    """Reasons of one kind."""
    return st.builds(kind, **{field.name: _FIELDS[str(field.type)] for field in fields(kind)})


turn_ends = reasons_of(TurnEnded)
reasons = st.one_of([reasons_of(kind) for _, kind in sorted(Reason.kinds.items())])
requests = st.builds(
    Request,
    gpus=st.integers(1, 64),
    gpu_memory_bytes=st.integers(0, 2**40),
    cpus=counts,
    memory_bytes=st.integers(0, 2**45),
    tiers=st.lists(names, max_size=3).map(tuple),
    checkpoint=st.none() | any_text,
    time_s=maybe_seconds,
    notice_signal=st.none() | text,
    retries=counts,
    after=st.lists(st.builds(Dependency, st.integers(1, 9), st.booleans()), max_size=2).map(tuple),
)


def jobs(ids: st.SearchStrategy[int]) -> st.SearchStrategy[Job]:
    """Jobs whose end time says whether they are over, as move_job makes them."""
    made = st.builds(
        Job,
        id=ids,
        name=any_text,
        member=names,
        project=names,
        request=requests,
        submitted_at=times,
        state=st.sampled_from(JobState),
        waiting_since=times,
        turns=counts,
        attained_gpu_s=seconds,
        failures=counts,
        lost_turns=counts,
        after_turn=st.none() | st.sampled_from(AfterTurn),
        array=text,
        saving_interval_s=maybe_seconds,
        progress=st.none() | st.tuples(counts, counts),
        ended_at=times,
        exit_code=exit_codes,
        last_end=st.none() | turn_ends,
        origin=text,
        command=any_text,
    )
    return made.map(lambda job: job if job.state.is_final else replace(job, ended_at=None))


def turns(job: int) -> st.SearchStrategy[list[Turn]]:
    """Turns of one job, numbered from 1; ended ones have their end time, as the daemon makes them."""
    made = st.builds(
        Turn,
        id=st.just(""),
        job=st.just(job),
        number=st.just(0),
        gpus=st.lists(names, max_size=3).map(tuple),
        node=names,
        tier=names,
        granted_at=times,
        guaranteed_until=times,
        limit_at=maybe_times,
        state=st.sampled_from(TurnState),
        began_at=maybe_times,
        notice_at=maybe_times,
        saved_at=maybe_times,
        ended_at=times,
        outcome=st.none() | st.sampled_from(Outcome),
        exit_code=exit_codes,
        gpu_s=seconds,
        lost_s=seconds,
    )
    return st.lists(made, max_size=4).map(_numbered)


def _numbered(made: list[Turn]) -> list[Turn]:
    return [
        replace(
            turn,
            id=turn_id(turn.job, number),
            number=number,
            ended_at=turn.ended_at if turn.state is TurnState.ENDED else None,
        )
        for number, turn in enumerate(made, start=1)
    ]


transitions = st.builds(Transition, st.just("job"), st.just("1"), text, text, times, reasons)
launches = st.builds(
    Launch,
    argv=st.lists(any_text, min_size=1, max_size=4).map(tuple),
    cwd=any_text,
    environment=st.dictionaries(any_text, any_text, max_size=4),
    umask=st.integers(0, 0o777),
    uid=st.integers(0, 2**32 - 2),
    gid=st.integers(0, 2**32 - 2),
    groups=st.lists(st.integers(0, 9), max_size=3).map(tuple),
    output=st.none() | any_text,
)
ranges = st.builds(Range, times, times, times)


def promises(job: int) -> st.SearchStrategy[Promise]:
    """A promise about one of the first turns of a job."""
    return st.builds(
        Promise,
        job=st.just(job),
        turn=st.integers(1, 3),
        gpus=counts,
        tier=text,
        made_at=times,
        raw=ranges,
        told=ranges,
        began_at=maybe_times,
        is_void=st.booleans(),
    )
