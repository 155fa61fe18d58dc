"""When a checkpoint counts as renewed, and as whole."""

from __future__ import annotations

import os
from pathlib import Path

from rota.engines.keeper.checkpoint import Watch, look_at

WALL = 1000.0


def a_watch(pattern: Path | str, being_written: bool = False) -> Watch:
    return Watch(str(pattern), 0.5, lambda path: being_written)


def write(path: Path, text: str, at: int) -> None:
    path.write_text(text)
    os.utime(path, (at, at))


def test_what_was_there_before_is_no_save(tmp_path: Path) -> None:
    write(tmp_path / "c", "old", 5)
    watch = a_watch(tmp_path / "c")
    assert not watch.look(0.0, WALL)
    assert not watch.look(9.0, WALL)


def test_a_file_written_in_place_is_whole_when_it_rests(tmp_path: Path) -> None:
    watch = a_watch(tmp_path / "c")
    write(tmp_path / "c", "ne", 5)
    assert not watch.look(0.0, WALL)
    write(tmp_path / "c", "new", 6)
    assert not watch.look(0.4, WALL)
    assert not watch.look(0.8, WALL)
    assert watch.look(0.95, WALL)
    assert watch.saved_at == WALL
    assert not watch.look(2.0, WALL)


def test_a_file_renamed_into_place_is_whole_at_once(tmp_path: Path) -> None:
    write(tmp_path / "c", "old", 5)
    watch = a_watch(tmp_path / "c")
    write(tmp_path / "c.new", "new", 6)
    (tmp_path / "c.new").rename(tmp_path / "c")
    assert watch.look(0.0, WALL)


def test_a_file_that_somebody_writes_is_not_whole_however_long_it_rests(tmp_path: Path) -> None:
    watch = a_watch(tmp_path / "c", being_written=True)
    write(tmp_path / "c", "half", 5)
    watch.look(0.0, WALL)
    assert not watch.look(100.0, WALL)
    assert watch.look(101.0, WALL, is_last=True)  # nobody is left who could write


def test_a_folder_and_a_glob_are_renewed_by_a_newer_file(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    write(tmp_path / "run" / "step-1.ckpt", "one", 5)
    folder, pattern = a_watch(tmp_path / "run"), a_watch(tmp_path / "run" / "*.ckpt")
    write(tmp_path / "run" / "step-2.ckpt", "two", 6)
    for watch in (folder, pattern):
        assert not watch.look(0.0, WALL)
        assert watch.look(0.6, WALL)


def test_clearing_away_an_old_checkpoint_is_no_save(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for step in (1, 2):
        write(tmp_path / "run" / f"{step}.ckpt", "x", step)
    watch = a_watch(tmp_path / "run")
    (tmp_path / "run" / "1.ckpt").unlink()
    watch.look(0.0, WALL)
    assert not watch.look(0.6, WALL)


def test_a_folder_that_says_it_is_incomplete_is_not_whole(tmp_path: Path) -> None:
    """Hugging Face Trainer marks a checkpoint folder while it writes it."""
    watch = a_watch(tmp_path)
    write(tmp_path / "model.safetensors", "x", 5)
    write(tmp_path / "checkpoint-is-incomplete.txt", "", 5)
    watch.look(0.0, WALL)
    assert not watch.look(9.0, WALL)
    (tmp_path / "checkpoint-is-incomplete.txt").unlink()
    watch.look(9.1, WALL)
    assert watch.look(9.7, WALL)


def test_drafts_do_not_count(tmp_path: Path) -> None:
    watch = a_watch(tmp_path)
    write(tmp_path / "model.tmp", "x", 5)
    watch.look(0.0, WALL)
    assert not watch.look(9.0, WALL)
    assert look_at(str(tmp_path)) is None


def test_the_saving_interval_is_the_median(tmp_path: Path) -> None:
    watch = a_watch(tmp_path / "c")
    assert watch.interval_s() is None
    for number, now in enumerate((0.0, 10.0, 20.0, 80.0, 90.0)):
        write(tmp_path / "n", str(number), number + 5)
        (tmp_path / "n").rename(tmp_path / "c")
        watch.look(now, WALL)
        watch.look(now + 1, WALL)
    assert watch.interval_s() == 10.0
