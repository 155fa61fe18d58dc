"""Why a turn comes at another time than was promised, as its member reads it."""

from __future__ import annotations

import time

import pytest

from rota.api.shift_words import shift_sentence
from rota.daemon.shifts import Shift
from rota.domain.forecasts import Range

NINE = time.mktime((2026, 11, 24, 9, 0, 0, 0, 0, -1))
HOUR_S = 3600.0
PROMISED = Range(NINE + 5.2 * HOUR_S, NINE + 6 * HOUR_S, NINE + 7.48 * HOUR_S)
LATER, SOONER = NINE + 8.67 * HOUR_S, NINE + 1.5 * HOUR_S


@pytest.mark.parametrize(
    ("shift", "said"),
    [
        (Shift(PROMISED, NINE, LATER), "."),
        (Shift(PROMISED, NINE, LATER, came_before=(57,)), ": job 57 came before it."),
        (
            Shift(PROMISED, NINE, LATER, came_before=(5, 6, 7), ends_later=(31,)),
            ": 3 jobs came before it, and job 31 takes longer than it was expected to.",
        ),
        (
            Shift(PROMISED, NINE, LATER, came_before=(5, 6, 7), ends_later=(31, 33), out_of_service=1),
            ": 3 jobs came before it, jobs 31 and 33 take longer than they were expected to, and "
            "1 GPU is out of service.",
        ),
    ],
)
def test_a_later_turn_names_what_came_in_between(shift: Shift, said: str) -> None:
    assert shift_sentence(shift, NINE) == f"Its turn is now expected about 17:40 instead of 14:10-16:30{said}"


def test_a_sooner_turn_names_what_ended() -> None:
    shift = Shift(PROMISED, NINE, SOONER, ends_sooner=(31,), back_in_service=2)
    assert shift_sentence(shift, NINE) == (
        "Its turn is now expected about 10:30 instead of 14:10-16:30: "
        "job 31 ended sooner than expected, or will, and 2 GPUs are back in service."
    )
