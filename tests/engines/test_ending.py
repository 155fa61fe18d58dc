"""How a turn ends: the keeper's state machine (design.md, Turns 3-5)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rota.engines.keeper.ending import Act, Ending, Phase, Sight, step
from rota.engines.keeper.order import EndWish

TERM_S = 10.0
POLITE, AT_ONCE = EndWish(False, 60.0), EndWish(True)


def sight(now: float, **changes: object) -> Sight:
    return Sight(now, True, True)._replace(**changes)


def test_without_a_wish_a_turn_just_runs() -> None:
    assert step(Ending(), sight(5.0), TERM_S) == (Ending(), ())


def test_a_polite_end_gives_notice_waits_for_the_save_and_terminates() -> None:
    ending, acts = step(Ending(), sight(0.0, wish=POLITE, has_checkpoint=True), TERM_S)
    assert (ending.phase, acts) == (Phase.GRACE, (Act.NOTICE,))
    ending, acts = step(ending, sight(30.0, wish=POLITE, has_checkpoint=True), TERM_S)
    assert acts == ()
    ending, acts = step(ending, sight(31.0, wish=POLITE, has_checkpoint=True, is_saved=True), TERM_S)
    assert (ending.phase, acts, ending.was_terminated) == (Phase.TERM, (Act.TERM,), True)


def test_the_grace_is_extended_once_and_then_the_turn_ends() -> None:
    ending, _ = step(Ending(), sight(0.0, wish=POLITE, has_checkpoint=True), TERM_S)
    ending, acts = step(ending, sight(60.0, wish=POLITE, has_checkpoint=True), TERM_S)
    assert (ending.phase, ending.deadline, acts) == (Phase.EXTENDED, 120.0, ())
    ending, acts = step(ending, sight(120.0, wish=POLITE, has_checkpoint=True), TERM_S)
    assert acts == (Act.TERM,)


def test_a_job_without_checkpoint_gets_no_extension() -> None:
    ending, _ = step(Ending(), sight(0.0, wish=POLITE), TERM_S)
    assert step(ending, sight(60.0, wish=POLITE), TERM_S)[1] == (Act.TERM,)


def test_at_once_goes_straight_to_term_and_then_kill() -> None:
    ending, acts = step(Ending(), sight(0.0, wish=AT_ONCE), TERM_S)
    assert acts == (Act.TERM,)
    assert step(ending, sight(9.9, wish=AT_ONCE), TERM_S)[1] == ()
    ending, acts = step(ending, sight(10.0, wish=AT_ONCE), TERM_S)
    assert (ending.phase, acts) == (Phase.KILL, (Act.KILL,))


def test_leftovers_of_a_job_that_ended_by_itself_are_ended_but_it_was_not_terminated() -> None:
    ending, acts = step(Ending(), sight(0.0, is_main_alive=False), TERM_S)
    assert (acts, ending.was_terminated) == ((Act.TERM,), False)
    ending, acts = step(ending, sight(1.0, is_main_alive=False, is_any_alive=False), TERM_S)
    assert (ending.phase, acts) == (Phase.GONE, (Act.FINISH,))


ORDER = [Phase.RUNNING, Phase.GRACE, Phase.EXTENDED, Phase.TERM, Phase.KILL, Phase.GONE]
looks = st.lists(
    st.tuples(
        st.floats(0.0, 50.0),
        st.booleans(),
        st.sampled_from([None, POLITE, AT_ONCE, EndWish(False, 0.0)]),
        st.booleans(),
    ),
    max_size=40,
)


@given(looks, st.booleans())
def test_a_turn_never_goes_back_and_gives_notice_at_most_once(
    seen: list[tuple[float, bool, EndWish | None, bool]], has_checkpoint: bool
) -> None:
    ending, now, acts_so_far = Ending(), 0.0, []
    for gap, is_saved, wish, is_main_alive in seen:
        now += gap
        look = Sight(now, is_main_alive, True, wish, is_saved, has_checkpoint)
        after, acts = step(ending, look, TERM_S)
        assert ORDER.index(after.phase) >= ORDER.index(ending.phase)
        ending = after
        acts_so_far += acts
    assert acts_so_far.count(Act.NOTICE) <= 1
    assert acts_so_far.count(Act.TERM) <= 1
    if Act.KILL in acts_so_far:
        assert Act.TERM in acts_so_far


@given(st.floats(0.0, 1000.0), st.booleans())
def test_every_wish_ends_in_bounded_time(grace_s: float, has_checkpoint: bool) -> None:
    """Twice the grace, then TERM, then KILL: whatever the job does, as long as it can be killed."""
    ending, now, killed = Ending(), 0.0, False
    wish = EndWish(False, grace_s)
    while not killed:
        ending, acts = step(ending, Sight(now, True, True, wish, False, has_checkpoint), TERM_S)
        killed = Act.KILL in acts
        if not acts and ending.deadline > now:
            now = ending.deadline
    assert now <= 2 * grace_s + TERM_S + 1e-6
