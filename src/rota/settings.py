"""What a laboratory may set: rota.toml, checked whole, with a sentence for every mistake."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from rota.domain.durations import parse_duration_s
from rota.domain.sizes import parse_size_bytes
from rota.errors import BadSettings, RotaError
from rota.policy.values import Rules

SHOWN_MISTAKES = 3


def _duration(value: object) -> float:
    if not isinstance(value, str):
        # pydantic makes a mistake of a ValueError only
        raise ValueError(f"{value!r} is not a duration. Write it like 90s, 15min, 4h or 7d.")  # noqa: TRY004
    try:
        return parse_duration_s(value)
    except RotaError as wrong:
        raise ValueError(str(wrong)) from None


def _size(value: object) -> int:
    try:
        return parse_size_bytes(str(value))
    except RotaError as wrong:
        raise ValueError(str(wrong)) from None


def _listen(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{value!r} is not an address. Write it like 127.0.0.1:8420.")
    return value


Duration = Annotated[float, BeforeValidator(_duration)]
Size = Annotated[int, BeforeValidator(_size)]
Weight = Annotated[float, Field(gt=0, le=1e6)]


class Section(BaseModel):
    """A table of rota.toml: frozen, and strangers are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Turns(Section):
    """How turns begin and end."""

    quantum_s: Duration = Field(4 * 3600.0, alias="quantum")
    grace_s: Duration = Field(120.0, alias="grace")
    grace_max_s: Duration = Field(1200.0, alias="grace_max")
    default_limit_s: Duration = Field(4 * 3600.0, alias="default_limit")
    term_s: Duration = Field(10.0, alias="term")
    settle_s: Duration = Field(0.5, alias="settle")
    log_keep_bytes: Size = Field(64 * 2**20, alias="log_keep")

    @model_validator(mode="before")
    @classmethod
    def _grace_alone_raises_its_maximum(cls, given: Any) -> Any:
        """Who sets only a grace of an hour means it."""
        if isinstance(given, dict) and isinstance(given.get("grace"), str) and "grace_max" not in given:
            try:
                least_s = parse_duration_s(given["grace"])
            except RotaError:
                return given  # the field's own check says what is wrong
            return {**given, "grace_max": f"{max(1200.0, least_s)}s"}
        return given

    @model_validator(mode="after")
    def _bounds_fit(self) -> Turns:
        if self.grace_s > self.grace_max_s:
            raise ValueError("grace is longer than grace_max. Make grace_max at least as long.")
        return self


class Tiers(Section):
    """Classes of equal GPUs."""

    order: tuple[str, ...] = ()
    weights: dict[str, Weight] = {}


class Shares(Section):
    """What counts between projects."""

    half_life_s: Duration = Field(7 * 86400.0, alias="half_life")
    patience_s: Duration = Field(86400.0, alias="patience")
    projects: dict[str, Weight] = {}


class Web(Section):
    """The page."""

    listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1:8420"
    enabled: bool = True
    name: str = "Our laboratory"


class Access(Section):
    """Who may do what everybody may not."""

    admins: tuple[str, ...] = ()


class StoreSettings(Section):
    """Where the record is kept."""

    url: str = ""


class Settings(Section):
    """The whole file."""

    turns: Turns = Turns()
    tiers: Tiers = Tiers()
    shares: Shares = Shares()
    web: Web = Web()
    access: Access = Access()
    store: StoreSettings = StoreSettings()

    def rules(self) -> Rules:
        """What the policy reads."""
        return Rules(
            quantum_s=self.turns.quantum_s,
            default_limit_s=self.turns.default_limit_s,
            half_life_s=self.shares.half_life_s,
            tier_weights=self.tiers.weights,
            project_weights=self.shares.projects,
            patience_s=self.shares.patience_s,
        )


def load_settings(path: Path | None) -> Settings:
    """The settings in a file; the defaults where there is none. Raises BadSettings."""
    if path is None or not path.exists():
        return Settings()
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as wrong:
        raise BadSettings(
            f"{path} is not TOML: {wrong}. Mend that line; every setting is in rota.example.toml"
        ) from None
    except (OSError, UnicodeDecodeError) as wrong:
        raise BadSettings(f"{path} cannot be read: {wrong}") from None
    try:
        return Settings.model_validate(written)
    except ValidationError as wrong:
        raise BadSettings(_say(wrong, path)) from None


# --- mistakes as sentences -----------------------------------------------------------------------


def _say(wrong: ValidationError, path: Path) -> str:
    mistakes = [_mistake(error, path) for error in wrong.errors()]
    more = [f"and {len(mistakes) - SHOWN_MISTAKES} more"] if len(mistakes) > SHOWN_MISTAKES else []
    return "\n".join(mistakes[:SHOWN_MISTAKES] + more)


def _mistake(error: Any, path: Path) -> str:
    """`rota.toml, [turns] quantum: '4x' is not a duration. Write it like ...`"""
    *tables, key = (str(part) for part in error["loc"]) if error["loc"] else ("",)
    where = f"{path.name}, [{'.'.join(tables)}] {key}" if tables else f"{path.name}, {key}"
    if error["type"] == "extra_forbidden":
        return f"{where}: there is no such setting.{_near(tables, key)}"
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {said}"


def _near(tables: list[str], key: str) -> str:
    model: Any = Settings
    for table in tables:
        field = model.model_fields.get(table)
        if field is None or not isinstance(field.default, BaseModel):
            return ""
        model = type(field.default)
    known = [field.alias or name for name, field in model.model_fields.items()]
    near = difflib.get_close_matches(key, known, 1)
    return f" Did you mean {near[0]}?" if near else f" Known here: {', '.join(known)}."
