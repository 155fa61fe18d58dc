"""What a laboratory may set: rota.toml, checked whole, with a sentence for every mistake."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, Field, ValidationError, model_validator

from rota.domain.durations import parse_duration_s
from rota.errors import BadSettings, RotaError
from rota.policy.quantum import DEFAULT_BOUNDS, Bounds
from rota.policy.values import Rules
from rota.timetable import DeadlineSettings, ReservationSettings
from rota.written import Duration, DurationOrAuto, Listen, ListenOrNone, Section, Size, Weight

SHOWN_MISTAKES = 3


class Turns(Section):
    """How turns begin and end."""

    quantum_s: DurationOrAuto = Field(None, alias="quantum")
    quantum_min_s: Duration = Field(DEFAULT_BOUNDS.least_s, alias="quantum_min")
    quantum_max_s: Duration = Field(DEFAULT_BOUNDS.most_s, alias="quantum_max")
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
        if self.quantum_min_s > self.quantum_max_s:
            raise ValueError("quantum_min is longer than quantum_max. Make quantum_max at least as long.")
        return self

    def bounds(self) -> Bounds:
        """Between which the quantum adapts; equal ones when it is fixed."""
        if self.quantum_s is not None:
            return Bounds(self.quantum_s, self.quantum_s)
        return Bounds(self.quantum_min_s, self.quantum_max_s)


class Tiers(Section):
    """Classes of equal GPUs."""

    order: tuple[str, ...] = ()
    weights: dict[str, Weight] = Field(default_factory=dict)
    speeds: dict[str, Weight] = Field(default_factory=dict)


class Shares(Section):
    """What counts between projects."""

    half_life_s: Duration = Field(7 * 86400.0, alias="half_life")
    patience_s: Duration = Field(86400.0, alias="patience")
    credit_s: Duration = Field(4 * 3600.0, alias="credit")
    projects: dict[str, Weight] = Field(default_factory=dict)


class Web(Section):
    """The page."""

    listen: Listen = "127.0.0.1:8420"
    enabled: bool = True
    name: str = "Our laboratory"


class ForecastSettings(Section):
    """When turns are expected to begin."""

    enabled: bool = True


class Access(Section):
    """Who may do what everybody may not."""

    admins: tuple[str, ...] = ()


class StoreSettings(Section):
    """Where the record is kept."""

    url: str = ""


class SlurmSettings(Section):
    """Turns as jobs of a Slurm cluster instead of processes of this machine."""

    enabled: bool = False  #: also by `rota up --slurm`
    partition: str = ""  #: "": Slurm's default partition
    turns_dir: str = ""  #: on a file system that every node has; "": `turns` in the state folder
    post: ListenOrNone = ""  #: where nodes that share no file system find the daemon; "": they share `turns_dir`
    node_dir: str = "/var/tmp"  #: with `post`: for the turns' folders on the nodes
    python: str = "python3"  #: on the nodes: Python 3.9 or later
    options: tuple[str, ...] = ()  #: further options of sbatch, such as "--account=ai"
    poll_s: Duration = Field(2.0, alias="poll")


class Settings(Section):
    """The whole file."""

    turns: Turns = Turns()
    tiers: Tiers = Tiers()
    shares: Shares = Shares()
    web: Web = Web()
    forecast: ForecastSettings = ForecastSettings()
    access: Access = Access()
    store: StoreSettings = StoreSettings()
    slurm: SlurmSettings = SlurmSettings()
    reservations: tuple[ReservationSettings, ...] = ()
    deadlines: tuple[DeadlineSettings, ...] = ()

    def rules(self) -> Rules:
        """What the policy reads."""
        return Rules(
            quantum_s=self.turns.bounds().first_s(),
            default_limit_s=self.turns.default_limit_s,
            half_life_s=self.shares.half_life_s,
            tier_weights=self.tiers.weights,
            project_weights=self.shares.projects,
            patience_s=self.shares.patience_s,
            credit_s=self.shares.credit_s,
            speeds=self.tiers.speeds,
        )


def check_stated(path: Path) -> Path:
    """A settings file that somebody named must be there. Raises BadSettings."""
    if not path.exists():
        raise BadSettings(f"There is no settings file {path}. Look at the spelling, or leave --config out.")
    return path


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
    # A key that is misspelt is the cause of another that is missing.
    errors = sorted(wrong.errors(), key=lambda error: error["type"] != "extra_forbidden")
    mistakes = [_mistake(error, path) for error in errors]
    more = [f"and {len(mistakes) - SHOWN_MISTAKES} more"] if len(mistakes) > SHOWN_MISTAKES else []
    return "\n".join(mistakes[:SHOWN_MISTAKES] + more)


def _mistake(error: Any, path: Path) -> str:
    """`rota.toml, [turns] quantum: '4x' is not a duration. Write it like ...`"""
    where = f"{path.name}, {_place(error['loc'])}"
    if error["type"] == "extra_forbidden":
        *tables, key = error["loc"]
        return f"{where}: there is no such setting.{_near(tables, str(key))}"
    if error["type"] == "missing":
        return f"{where} is missing."
    if error["type"] in ("tuple_type", "model_type", "dict_type"):
        given = repr(error["input"])[:40]
        return f"{where}: {given} does not belong here. See how it is written in rota.example.toml."
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {said}"


def _place(loc: Sequence[Any]) -> str:
    """`[turns] quantum`, or of the second of several `[[reservations]] number 2, gpus`."""
    if len(loc) > 1 and isinstance(loc[1], int):
        return ", ".join([f"[[{loc[0]}]] number {loc[1] + 1}", *(str(part) for part in loc[2:])])
    *tables, key = (str(part) for part in loc or ("",))
    return f"[{'.'.join(tables)}] {key}" if tables else key


def _near(tables: list[Any], key: str) -> str:
    model: Any = Settings
    for table in tables:
        if isinstance(table, int):
            continue
        field = model.model_fields.get(table)
        kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if _is_section(kind)] if field else []
        if not kinds:
            return ""
        model = kinds[0]
    known = [field.alias or name for name, field in model.model_fields.items()]
    near = difflib.get_close_matches(key, known, 1)
    return f" Did you mean {near[0]}?" if near else f" Known here: {', '.join(known)}."


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
