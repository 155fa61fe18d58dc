"""Columns that line up, for names in any script, and never move somebody's cursor."""

from __future__ import annotations

import click
from hypothesis import given
from hypothesis import strategies as st

from rota.cli.tables import table, width


def test_columns_line_up_with_korean_names_and_colours() -> None:
    drawn = table(("NAME", "STATE", "WHY"), [("김민수", click.style("running", fg="green"), "a"), ("kim", "held", "b")])
    starts = {width(line[: line.rindex(line.strip()[-1])]) for line in drawn.splitlines()[1:]}
    assert len(starts) == 1


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), max_size=5))
def test_no_name_brings_control_characters_to_the_terminal(rows: list[tuple[str, str]]) -> None:
    drawn = table(("A", "B"), rows)
    assert len(drawn.split("\n")) == len(rows) + 1
    assert all(c.isprintable() or c == "\n" for c in drawn.replace("\x1b[", "").replace("\x1b", ""))
