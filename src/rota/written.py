"""Values as people write them in rota.toml, and the mistakes in them as sentences."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from rota.domain.durations import parse_duration_s
from rota.domain.sizes import parse_size_bytes
from rota.errors import RotaError


def _duration(value: object) -> float:
    if not isinstance(value, str):
        # pydantic makes a mistake of a ValueError only
        raise ValueError(f"{value!r} is not a duration. Write it like 90s, 15min, 4h or 7d.")  # noqa: TRY004
    try:
        return parse_duration_s(value)
    except RotaError as wrong:
        raise ValueError(str(wrong)) from None


def _duration_or_auto(value: object) -> float | None:
    if value is None or value == "auto":
        return None
    try:
        return _duration(value)
    except ValueError as wrong:
        raise ValueError(f'{wrong} Or "auto": it follows from what stopping and resuming costs.') from None


def _size(value: object) -> int:
    try:
        return parse_size_bytes(str(value))
    except RotaError as wrong:
        raise ValueError(str(wrong)) from None


def _moment(value: object) -> float:
    """Epoch seconds. Without a zone it is the machine's local time, as on the laboratory's clock on the wall."""
    if isinstance(value, float):
        return value
    try:
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day).timestamp()
    except (OverflowError, OSError, ValueError):
        pass  # the year 1 has no epoch seconds
    said = value.isoformat() if isinstance(value, date) else repr(value)
    raise ValueError(f"{said} is not a time. Write it without quotes, like 2026-12-01T09:00:00.")


def _listen(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{value!r} is not an address. Write it like 127.0.0.1:8420.")
    return value


def _listen_or_none(value: str) -> str:
    return _listen(value) if value else ""


Duration = Annotated[float, BeforeValidator(_duration)]
DurationOrAuto = Annotated[float | None, BeforeValidator(_duration_or_auto)]
Size = Annotated[int, BeforeValidator(_size)]
Moment = Annotated[float, BeforeValidator(_moment)]
Listen = Annotated[str, AfterValidator(_listen)]
ListenOrNone = Annotated[str, AfterValidator(_listen_or_none)]
Weight = Annotated[float, Field(gt=0, le=1e6)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Section(BaseModel):
    """A table of rota.toml: frozen, and strangers are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
