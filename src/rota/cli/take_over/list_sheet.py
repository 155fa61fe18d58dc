"""A waiting list as a spreadsheet saves it: letters, separator, where the heads are. Pure: bytes in, rows out."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rota.cli.take_over.list_columns import known_columns
from rota.errors import BadRequest

SEPARATORS = ",;\t"
HEADS_WITHIN = 15  # rows: a title and an empty line stand above the heads of many a list
MOST_BYTES = 10 * 2**20


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    line: int  #: as an editor counts them, from 1
    cells: Mapping[str, str]  #: by our names of the columns


@dataclass(frozen=True, slots=True)
class Sheet:
    """The list."""

    rows: tuple[Row, ...]
    heads: Mapping[str, str]  #: our name of a column -> what stands above it
    unknown: tuple[str, ...]  #: heads of columns that are left out


def read_sheet(content: bytes, name: str) -> Sheet:
    """The rows that are not empty. Raises BadRequest when it is no such list."""
    if len(content) > MOST_BYTES:
        raise BadRequest(f"{name} is {len(content):,} bytes long. A waiting list has at most {MOST_BYTES:,}.")
    text = _decoded(content, name)
    best: Sheet | None = None
    for separator in SEPARATORS:
        found = _table(text, separator)
        if found is not None and (best is None or len(found.heads) > len(best.heads)):
            best = found
    if best is None:
        raise BadRequest(
            f"{name} has no line with the names of its columns, such as: member, gpus, since, command.\n"
            "In Korean: 이름, GPU 수, 신청일, 명령. Write one above the list."
        )
    return best


def _decoded(content: bytes, name: str) -> str:
    if content[:4] == b"PK\x03\x04" or content[:4] == b"\xd0\xcf\x11\xe0":
        raise BadRequest(f"{name} is a workbook. Save it as CSV (Excel: Save as, CSV UTF-8).")
    encodings = ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp949")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadRequest(f"{name} is neither UTF-8 nor CP949 text. Save it as CSV UTF-8.")


def _table(text: str, separator: str) -> Sheet | None:
    """The list with this separator; None when no row looks like heads."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=False)
    rows: list[tuple[int, list[str]]] = []
    line = 1
    try:
        for cells in reader:
            rows.append((line, [cell.strip() for cell in cells]))
            line = reader.line_num + 1
    except csv.Error as wrong:
        raise BadRequest(f"Line {line}: {wrong}. Look at its quotes.") from None
    place = next((place for place, (_, cells) in enumerate(rows[:HEADS_WITHIN]) if _are_heads(cells)), None)
    if place is None:
        return None
    heads = rows[place][1]
    columns = known_columns(heads)
    unknown = tuple(head for spot, head in enumerate(heads) if head and spot not in columns)
    made = [
        Row(number, {ours: cells[spot] for spot, ours in columns.items() if spot < len(cells) and cells[spot]})
        for number, cells in rows[place + 1 :]
    ]
    told = {ours: heads[spot] for spot, ours in columns.items()}
    return Sheet(tuple(row for row in made if row.cells.keys() - {"number"}), told, unknown)


def _are_heads(cells: Sequence[str]) -> bool:
    columns = set(known_columns(cells).values()) - {"number"}
    return "member" in columns and len(columns) >= 2 if len(cells) > 1 else columns == {"member"}
