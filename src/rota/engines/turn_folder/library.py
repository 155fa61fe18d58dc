"""What turns need of ours, put where every member can read it: our own installation may be in a private folder."""

from __future__ import annotations

from pathlib import Path

from rota.errors import EngineUnavailable

_ROTA = Path(__file__).resolve().parents[2]
_LIBRARY = _ROTA / "engines" / "on_path" / "rota_turn.py"
#: What a keeper imports, and nothing else of Rota.
_OF_KEEPERS = (
    "__init__.py", "sockets.py", "engines/__init__.py", "engines/keeper", "forecast/__init__.py", "forecast/outputs",
)  # fmt: skip


def install_library(folder: Path) -> None:
    """`rota_turn` for scripts. Raises EngineUnavailable."""
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        _put(_LIBRARY, folder / _LIBRARY.name)
    except OSError as failed:
        raise EngineUnavailable(f"{folder} cannot be written: {failed.strerror}.") from failed


def install_keeper(folder: Path) -> None:
    """The keeper's program for machines that have no Rota: the package rota, as far as a keeper needs it.

    Raises EngineUnavailable.
    """
    try:
        for name in _OF_KEEPERS:
            source = _ROTA / name
            for file in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
                target = folder / "rota" / file.relative_to(_ROTA)
                target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                _put(file, target)
    except OSError as failed:
        raise EngineUnavailable(f"{folder} cannot be written: {failed.strerror}.") from failed


def _put(source: Path, target: Path) -> None:
    """Whole or not at all, for a keeper may be starting; and only when it is another text."""
    text = source.read_bytes()
    if target.exists() and target.read_bytes() == text:
        return
    draft = target.with_suffix(".tmp")
    draft.write_bytes(text)
    draft.chmod(0o644)
    draft.rename(target)
