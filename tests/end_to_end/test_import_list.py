"""`rota import list`: a list of paper becomes Rota's."""

from __future__ import annotations

import getpass
import json
import os
import time
from pathlib import Path

import pytest

from tests.end_to_end.session import Rota

ME = getpass.getuser()
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who alone takes over others' lines")


def day(days_ago: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - days_ago * 86400))


def write(folder: Path, *lines: str) -> str:
    file = folder / "list.csv"
    file.write_text("who,gpus,since,hours,command,folder\n" + "".join(f"{line}\n" for line in lines))
    return str(file)


def test_a_list_is_taken_over_in_its_order_with_the_days_since_when_they_wait(rota: Rota, tmp_path: Path) -> None:
    file = write(
        tmp_path, f"{ME},2,{day(20)},8,sleep 600,{tmp_path}", f"{ME},2,{day(10)},8,echo second $0,{tmp_path}",
        f"{ME},1,,1,true,{tmp_path}",
    )  # fmt: skip
    shown = rota("import", "list", file, "--dry-run")
    assert "3 lines can be taken over." in shown
    assert rota.jobs("--all") == []
    rota("import", "list", file, "--yes")
    jobs = [rota.job(number)["job"] for number in (1, 2, 3)]
    assert [job["name"] for job in jobs] == ["sleep", "echo", "true"]
    assert jobs[1]["waiting_since"] == pytest.approx(time.time() - 10 * 86400, abs=86400)
    assert [job["gpus"] for job in jobs] == [2, 2, 1]
    assert "waiting since" in rota.job(1)["history"][0]["reason"]


def test_the_command_runs_in_its_folder_in_a_login_shell(rota: Rota, tmp_path: Path) -> None:
    file = write(tmp_path, f'{ME},1,,1,"echo $PWD; shopt -q login_shell && echo login",{tmp_path}')
    rota("import", "list", file, "--yes")
    rota.wait_for(1, "finished")
    assert rota("logs", "1").splitlines()[-2:] == [str(tmp_path), "login"]


def test_nothing_is_taken_over_while_a_line_is_wrong_and_what_is_wrong_is_named(rota: Rota, tmp_path: Path) -> None:
    lines = (f"{ME},1,,1,true,{tmp_path}", f"{ME},64,,1,true,{tmp_path}", f"{ME},1,99/99,1,,{tmp_path}")
    file = write(tmp_path, *lines, f"{ME},1,,1,true,/nowhere")
    said = rota.run("import", "list", file, "--yes")
    assert said.code == 2
    assert "Nothing was taken over: 4 mistakes in 3 lines." in said.err
    for hint in (
        "Line 3: No node has 64 GPUs",
        "Line 4, since: '99/99'",
        "Line 4, command:",
        "Line 5: the folder /nowh",
    ):
        assert hint in said.out
    assert rota.jobs("--all") == []
    assert rota.run("import", "list", file, "--yes", "--skip-bad").code == 0
    assert len(rota.jobs("--all")) == 1


def test_the_same_list_again_takes_over_only_what_is_new(rota: Rota, tmp_path: Path) -> None:
    file = write(tmp_path, f"{ME},1,,1,sleep 600,{tmp_path}", f"{ME},1,,1,sleep 600,{tmp_path}")
    rota("import", "list", file, "--yes")
    file = write(tmp_path, f"{ME},1,,1,true,{tmp_path}", *[f"{ME},1,,1,sleep 600,{tmp_path}"] * 2)
    said = rota.run("import", "list", file, "--json")
    assert [(one["line"], one["job"]) for one in said.json["taken"]] == [(2, 3)]
    assert [one["message"] for one in said.json["left_out"]] == [
        "it was taken over already: job 1", "it was taken over already: job 2",
    ]  # fmt: skip


def test_it_asks_before_it_does_it(rota: Rota, tmp_path: Path) -> None:
    file = write(tmp_path, f"{ME},1,,1,true,{tmp_path}")
    said = rota.run("import", "list", file, input=b"n\n")
    assert (said.code, said.out.splitlines()[-1]) == (0, "Nothing was changed.")
    said = rota.run("import", "list", file, input=b"")
    assert said.code == 1
    assert "--yes" in said.err
    assert rota.jobs("--all") == []
    assert rota.run("import", "list", file, input=b"y\n").code == 0
    assert len(rota.jobs("--all")) == 1


@AS_ROOT
def test_root_takes_over_for_every_member_and_names_on_the_list_may_be_no_accounts(rota: Rota, tmp_path: Path) -> None:
    lines = (f"김민수,1,{day(3)},1,true,/tmp", f"nobody,1,{day(2)},1,true,/tmp", f"??,1,{day(2)},1,true,/tmp")
    file = write(tmp_path, *lines)
    said = rota.run("import", "list", file, "--dry-run", "--json")
    assert [one["line"] for one in said.json["mistakes"]] == [2, 4]
    rota("import", "list", file, "--who", "김민수=nobody", "--who", "??=root", "--yes")
    assert sorted(job["member"] for job in rota.jobs("--all")) == ["nobody", "nobody", "root"]


def test_a_place_on_another_list_can_be_given_to_one_job(rota: Rota, tmp_path: Path) -> None:
    number = json.loads(rota("run", "--json", "--hold", "--since", day(5), "--", "true"))["job"]
    assert rota.state_of(number) == "held"
    assert "waiting since" in rota.job(number)["history"][0]["reason"]
    said = rota.run("run", "--since", "2999-01-01", "--", "true")
    assert said.code == 2
    assert "in the future" in said.err


def test_files_that_are_no_lists_are_refused_with_the_fix(rota: Rota, tmp_path: Path) -> None:
    said = rota.run("import", "list", str(tmp_path / "nothing.csv"))
    assert said.code == 5
    (tmp_path / "book.csv").write_bytes(b"PK\x03\x04")
    said = rota.run("import", "list", str(tmp_path / "book.csv"))
    assert said.code == 2
    assert "CSV" in said.err
