"""Every reason is a sentence that a person understands, with the numbers that decided."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from rota.api.waiting import begin_sentence, remedy_sentence, waiting_sentence
from rota.api.wording import other_sentence
from rota.domain.reasons import (
    AheadOfYou,
    Because,
    GapTooShort,
    MovesUp,
    Reason,
    ReservationBegins,
    ReservedFor,
    SoonerElsewhere,
)
from tests.builders import a_job

NOW = 1_790_000_000.0
#: A value for a field of each type, by how the type is written.
VALUES = {
    "int": 3, "float": 120.0, "str": "two words", "int | None": 4, "float | None": NOW + 600,
    "tuple[str, ...]": ("a", "b"),
    "tuple[int, ...]": (5, 6),
}  # fmt: skip
KINDS = sorted(Reason.kinds)


def a_reason(kind: str) -> Reason:
    """One of that kind, with something in every field."""
    reason = Reason.kinds[kind]
    return reason(**{field.name: VALUES[str(field.type)] for field in fields(reason)})


@pytest.mark.parametrize("kind", KINDS)
def test_every_reason_has_a_sentence(kind: str) -> None:
    said = waiting_sentence(a_reason(kind), NOW)
    assert re.fullmatch(r"\w.+ .+[.]", said), said
    assert kind not in said


@pytest.mark.parametrize(
    ("because", "said"),
    [
        (Because.NOTHING_RUNNING, "lee has nothing running and has waited 2h (this job 30min)"),
        (Because.SEVERAL_NODES, "it needs more GPUs than a node has, and has waited 2h, longer than 30min"),
        (Because.IN_TURN, "speech and vision take turns, and speech is next"),
        (Because.OVERDUE, "it was submitted 2h ago (this job 30min) and has waited too long"),
        (Because.SHORTER, "it is expected to need 2h more, this job 30min"),
        (Because.LESS_SERVED, "it has had 2h of GPU time, this job 30min of GPU time"),
        (Because.EARLIER, "submitted 1h 30min earlier"),
    ],
)
def test_who_comes_right_before_is_named_with_what_decided(because: Because, said: str) -> None:
    reason = AheadOfYou(3, 8, None, 12, "lee", "speech", because.value, theirs=7200.0, yours=1800.0)
    sentence = remedy_sentence(reason, a_job(9))
    assert sentence.startswith("Right before it comes job 12 of lee: ")
    assert said in sentence


def test_every_rule_has_its_words() -> None:
    sentences = {
        remedy_sentence(AheadOfYou(1, 1, None, 2, "lee", "vision", because.value, 7200.0, 60.0), a_job(9))
        for because in Because
    }
    assert len(sentences) == len(Because)
    assert not any("against" in sentence for sentence in sentences)


def test_what_is_reserved_or_faster_elsewhere_says_until_when_and_what_to_type() -> None:
    assert waiting_sentence(ReservedFor("course", NOW - 60.0, 3600.0), NOW) == (
        "The free GPUs are reserved for course now; this job could need 1h."
    )
    sooner = SoonerElsewhere("rtx3090", "h100", 900.0, 4.35)
    assert "h100 is 4.3 times as fast" in waiting_sentence(sooner, NOW)
    assert "after 15min of waiting at most" in waiting_sentence(sooner, NOW)
    assert remedy_sentence(sooner, a_job(9)).endswith("rota move 9 --tier rtx3090")
    assert other_sentence(ReservationBegins("course"), NOW) == (
        "Its quantum is over and the GPU is reserved for course now."
    )
    assert "4.3 times as fast" in other_sentence(MovesUp("h100", 4.3), NOW)


def test_a_shorter_time_is_advised_only_where_it_counts() -> None:
    assert "--time" in remedy_sentence(GapTooShort(3, 600.0, 7200.0), a_job(9, checkpoint=None))
    assert remedy_sentence(GapTooShort(3, 600.0, 7200.0), a_job(9)) == ""


def test_when_its_turn_comes_is_said_only_when_something_can_be_promised() -> None:
    assert begin_sentence(None, NOW) == ""
    assert begin_sentence(NOW + 3600.0, NOW).startswith("Its turn begins by ")


def test_by_how_much_a_project_or_member_is_behind_is_said() -> None:
    behind = AheadOfYou(3, 8, None, 12, "lee", "speech", Because.PROJECT.value, theirs=1800.0, yours=7200.0)
    assert "for its share, speech is 1h 30min of GPU time behind vision" in remedy_sentence(behind, a_job(9))
    behind = AheadOfYou(3, 8, None, 12, "lee", "vision", Because.MEMBER.value, theirs=1800.0, yours=7200.0)
    assert "in vision, lee is 1h 30min of GPU time behind kim" in remedy_sentence(behind, a_job(9))
