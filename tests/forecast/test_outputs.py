"""What a job's output tells of its progress: captured from real trainings, cut anywhere, and lines that mislead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rota.forecast.outputs import Reader

OUTPUTS = Path(__file__).parent / "outputs"
Progress = tuple[int, int] | None

#: File, command line, and what is known when this has been printed (to the end of what was drawn with it).
MOMENTS: list[tuple[str, str, list[tuple[str, Progress]]]] = [
    ("tqdm_nested", "train.py", [("13%|", None), ("0/4 [", None), ("1/4 [", None), ("3/4 [", (90, 120))]),
    ("tqdm_nested", "train.py --epochs 4", [("13%|", None), ("1/4 [", (1, 4)), ("4/4 [", (120, 120))]),
    ("tqdm_named", "train.py", [
        ("Downloading: 100%", None), ("Epoch 1/3:  13%", (4, 90)), ("Epoch 1/3 [val]:  44%", (30, 90)),
        ("epoch 1: val_acc", (30, 90)), ("Epoch 2/3:  53%", (46, 90)), ("epoch 3: val", (90, 90)),
    ]),
    ("tqdm_per_epoch", "train.py", [("64%", None), ("1.000", None), ("0.500", None), ("0.333", None)]),
    ("tqdm_end_lines", "train.py", [
        ("64%", None), ("Epoch 1/3 -", None), ("Epoch 2/3 -", (50, 75)), ("Epoch 3/3 -", (75, 75)),
    ]),
    ("tqdm_steps", "train.py", [
        ("reading: 40it", None), ("| 473/2000", (473, 2000)), ("5/12", (473, 2000)), ("2000/2000", (2000, 2000)),
    ]),
    ("torch_plain", "train.py", [
        ("[1/5], Step [100/600]", (100, 3000)), ("[1/5], Step [600/600]", (600, 3000)),
        ("[3/5], Step [200/600]", (1400, 3000)), ("[5/5], Step [600/600]", (3000, 3000)),
    ]),
    ("torch_imagenet", "main.py", [("Epoch: [1][31/50]", None), (" * ", None)]),
    ("torch_imagenet", "main.py --epochs 4 data", [
        ("[0][ 1/50]", (1, 200)), ("Test: [ 6/10]", (41, 200)), ("[1][31/50]", (81, 200)), ("[3][41/50]", (191, 200)),
    ]),
    ("torch_imagenet", "main.py --epochs=2", [("[1][31/50]", (81, 100)), ("[2][ 1/50]", None)]),
    ("timm_train", "train.py", [
        ("Train: 0 [   5/20", (5, 60)), ("Test: [   7/7]", (19, 60)), ("Train: 1 [   0/20", (20, 60)),
        ("Best metric", (59, 60)),
    ]),
    ("hf_trainer", "train.py", [
        ("| 8/120", None), ("| 16/120", (16, 120)), ("| 5/5 [", (40, 120)), ("'eval_loss'", (40, 120)),
        ("| 60/120", (60, 120)), ("train_runtime", (120, 120)),
    ]),
    ("hf_trainer_info", "train.py", [
        ("Total optimization", None), ("| 8/120", (8, 120)), ("train_runtime", (120, 120)),
    ]),
    ("hf_resume", "train.py", [("'epoch': '1.5'", (57, 120)), ("train_runtime", (120, 120))]),
    ("keras_fit", "train.py", [
        ("Epoch 1/3", (0, 3)), (" 9/27", (9, 81)), ("val_loss", (27, 81)), ("Epoch 2/3", (27, 81)),
        ("Epoch 3/3", (54, 81)),
    ]),
    ("lightning_fit_tqdm", "train.py", [("Epoch 0:  33%", None), ("Epoch 2:  33%", None), ("reached", (90, 90))]),
    ("lightning_fit_tqdm", "train.py fit trainer.max_epochs=3", [
        ("Sanity Checking DataLoader 0: 100%", None), ("Epoch 0:  33%", (10, 90)),
        ("Validation DataLoader 0:", (30, 90)), ("Epoch 1:   0%", (30, 90)), ("Epoch 2:  33%", (70, 90)),
        ("reached", (90, 90)),
    ]),
    ("lightning_fit_rich", "train.py", [("Epoch 2/2", (90, 90))]),
]  # fmt: skip


def captured(name: str, until: str = "") -> bytes:
    """A training's output, to the end of what was drawn with the first `until`."""
    output = (OUTPUTS / f"{name}.txt").read_bytes()
    if not until:
        return output
    drawn = re.search(re.escape(until.encode()) + rb"[^\r\n\x1b]*(?:\x1b\[[\d;]*m[^\r\n\x1b\b]*)*[\r\n\x1b\b]?", output)
    assert drawn, f"{name} has no {until}"
    return output[: drawn.end()]


def bars(name: str, steps: tuple[int, ...], total: int, pace: str = "11.9it/s") -> str:
    """A bar of tqdm, drawn once for each step."""
    return "\r".join(f"{name}{100 * step // total:3}%|###   | {step}/{total} [00:10<00:12, {pace}]" for step in steps)


def read(output: bytes, command: str = "train.py", before: Progress = None, piece: int = 10**9) -> Progress:
    """The progress after all of it, read in pieces of that many bytes."""
    reader = Reader(command.split(), before)
    for begin in range(0, len(output), piece):
        reader.feed(output[begin : begin + piece])
    return reader.progress


# --- real trainings --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "command", "until", "known"),
    [(name, command, until, known) for name, command, moments in MOMENTS for until, known in moments],
)
def test_a_real_training_tells_how_far_it_is(name: str, command: str, until: str, known: Progress) -> None:
    output = captured(name, until)
    assert read(output, command) == known
    assert read(output, command, piece=100) == known


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_it_does_not_matter_where_the_output_is_cut(data: st.DataObject) -> None:
    name, command, moments = data.draw(st.sampled_from(MOMENTS))
    until, known = data.draw(st.sampled_from(moments))
    output = captured(name, until)
    reader = Reader(command.split())
    cuts = data.draw(st.lists(st.integers(0, len(output)), max_size=40).map(sorted))
    for begin, end in zip([0, *cuts], [*cuts, len(output)], strict=True):
        reader.feed(output[begin:end])
    assert reader.progress == known


@pytest.mark.parametrize("name", sorted({name for name, _, _ in MOMENTS}))
def test_a_real_training_never_goes_back(name: str) -> None:
    reader, reached = Reader(["train.py", "--epochs", "4"] if name == "torch_imagenet" else []), 0.0
    output = captured(name)
    for begin in range(0, len(output), 64):
        reader.feed(output[begin : begin + 64])
        if reader.progress is not None:
            step, total = reader.progress
            assert reached <= step / total <= 1
            reached = step / total


# --- a turn that goes on ----------------------------------------------------------------------------


def test_a_resumed_bar_that_counts_from_where_it_was_goes_on_there() -> None:
    assert read(captured("hf_resume", "'epoch': '1.5'"), before=(40, 120)) == (57, 120)


def test_a_resumed_bar_over_what_is_left_counts_for_the_whole_job() -> None:
    steps = b"Steps: 5%|#   | 10/200 [00:10<03:10, 1.0it/s]\rSteps: 10%|#   | 20/200 [00:20<03:00, 1.0it/s]\r"
    assert read(steps, before=(850, 1000)) == (820, 1000)  # it went back to the checkpoint at 800


def test_a_bar_is_read_before_it_is_drawn_again_but_never_before_its_last_character() -> None:
    bars = b"Epochs:   2%|2  | 2/90 [2<88]\rEpochs:   3%|3  | 3/90 [3<87"
    assert read(bars, "train.py --epochs 90") is None
    assert read(bars + b"]", "train.py --epochs 90") == (3, 90)


def test_a_resumed_counter_that_fits_nothing_known_says_nothing() -> None:
    steps = b"step 0/70\nstep 10/70\n"
    assert read(steps, before=(850, 1000)) is None
    assert read(b"step 860/999\nstep 870/999\n", before=(850, 1000)) == (870, 999)


def test_a_job_that_begins_from_scratch_again_is_told_as_it_is() -> None:
    assert read(b"Epoch 1/90\nEpoch 2/90\n", before=(30, 90)) == (1, 90)


# --- lines as people write them ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "known"),
    [
        ("Epoch 3/90", (2, 90)),
        ("Epoch [3/90]", (2, 90)),
        ("epoch: 3 of 90", (2, 90)),
        ("2026-11-24 09:50:17,123 [INFO] train: Epoch 003/090", (2, 90)),
        ("Epoch 3/90 loss 0.31", None),  # three done, or the third in its middle?
        ("Epoch 3/90 loss 0.31\nEpoch 3/90 loss 0.29", (2, 90)),
        ("Epoch 2/90 train loss 0.31\nEpoch 2/90 val loss 0.3\nEpoch 3/90 train loss 0.28", (3, 90)),
        ("Epoch 1/90 loss 0.5 lr 1e-3\nEpoch 2/90 loss 0.31 lr 1e-3", (2, 90)),
        ("Epoch 3/90\n 120/265 [=====>......] - ETA: 2s - loss: 0.3", (650, 23850)),
        ("Epoch 3/90: step 120/265, loss 0.3", (650, 23850)),
        ("Epoch 3/90:  45%|####5     | 120/265 [00:10<00:12, 11.9it/s, loss=.31]\r", (650, 23850)),
        ("      3/90      2.16G      1.31      2.02:  45%|####5     | 120/265 [00:10<00:12, 11.9it/s]\r", (650, 23850)),
        ("step 1100/5000\nstep 1200/5000", (1200, 5000)),
        ("iter 90/1000\niter 100/1000: loss 2.1", (100, 1000)),
        ("Iter(train) [ 1100/160000]\nIter(train) [ 1200/160000]  lr: 1e-3", (1200, 160000)),
        ("[ 120/5000] loss 1\n[ 140/5000] loss 1", (140, 5000)),
        (bars("Epochs: ", (2, 3), 90, "3600.00s/it"), (3, 90)),
        (bars("", (1, 2), 90, "10.0s/epoch"), (2, 90)),
        ("Steps:  1%|  | 1.10k/120k [10<12:00]\rSteps:  1%|  | 1.20k/120k [20<12:00]", (1200, 120000)),
        ("fold 2/5\nEpoch 3/10", (12, 50)),
        ("\x1b[32mEpoch\x1b[0m 3/90", (2, 90)),
    ],
)  # fmt: skip
def test_what_is_read(lines: str, known: Progress) -> None:
    assert read(lines.encode() + b"\n") == known


@pytest.mark.parametrize(
    ("command", "lines", "known"),
    [
        ("python train.py --epochs 90", "Epoch: [0][ 10/265]\nEpoch: [2][120/265]", (650, 23850)),
        ("train.py --max-steps 5000", "Saving model to out/checkpoint-1000\n/checkpoint-1500", (1500, 5000)),
        ("train.py --max_iters=5000", "iter 10: loss 2.1\niter 20: loss 2.0", (20, 5000)),
        ("train.py", "iter 10: loss 2.1\niter 20: loss 2.0", None),
        ("fit --max_steps=5000", "wrote epoch=3-step=1000.ckpt\nwrote epoch=3-step=1200.ckpt", (1200, 5000)),
        ("train.py --num_train_epochs 3", "{'loss': '0.5', 'learning_rate': '4e-05', 'epoch': '0.27'}", (270, 3000)),
        ("sh -c 'python a.py --epochs 3; python b.py --epochs 5'", "epoch 1\nepoch 2", None),
        ("train.py", "Namespace(epochs=90, lr=0.1)\nepoch 2: loss 0.4\nepoch 3: loss 0.31", (3, 90)),
        ("train.py", "Total optimization steps = 1,500\n" + bars("", (75, 90), 1500), (90, 1500)),
    ],
)  # fmt: skip
def test_a_total_may_come_from_the_command_line_or_an_earlier_line(command: str, lines: str, known: Progress) -> None:
    assert read(lines.encode() + b"\n", command) == known


@pytest.mark.parametrize(
    "lines",
    [
        "Validation: step 3/20\nValidation: step 4/20",
        "val [ 3000/20000]\nval [ 4000/20000]",
        bars("Map: ", (4000, 5000), 9000, "11.9 examples/s"),
        bars("model.bin: ", (4000, 5000), 10_000, "11.9MB/s"),
        bars("Loading checkpoint shards: ", (1, 2), 2),
        "[1/3] nvcc -c a.cu\n[2/3] nvcc -c b.cu",
        "EarlyStopping counter: 3 out of 10\nEarlyStopping counter: 4 out of 10",
        "loaded epoch 3/90\nbest epoch 7/90",
        "date 2024/01/02 12/31\nratio 3/4",
        "412it [00:10, 11.9it/s]\r512it [00:10, 11.9it/s]",
        bars("", (119, 120), 265),  # of one epoch?
        "config: epochs: 90\nstep 119/265\nstep 120/265",
        "Num update steps per epoch = 40",
        "step 90/100\nstep 100/100\nstep 0/100\nstep 10/100",
        "Epoch 1/3\nEpoch 2/3\nEpoch 3/3\nEpoch 1/3",
        "Epoch 1/3\nEpoch 2/3\nEpoch 1/10",
        bars("steps: ", (10, 20), 100) + "\nstep 1/7\nstep 2/7",
    ],
)
def test_when_unsure_nothing_is_said(lines: str) -> None:
    assert read(lines.encode() + b"\n") is None


def test_ranks_that_print_through_each_other_are_one_job() -> None:
    lines = [
        f"Epoch {epoch}/2: step {max(step - rank, 1)}/100"
        for epoch in (1, 2)
        for step in range(2, 101)
        for rank in (0, 1)
    ]
    assert read("\n".join(lines).encode() + b"\n") == (200, 200)


def test_what_was_told_is_taken_back_when_the_counter_begins_anew_unexplained() -> None:
    reader = Reader()
    reader.feed(b"step 50/100\nstep 60/100\n")
    assert reader.progress == (60, 100)
    reader.feed(b"step 100/100\naccuracy 0.71\nstep 1/100\nstep 2/100\n")
    assert reader.progress is None


def test_cross_validation_is_explained_by_its_folds() -> None:
    lines = [f"Fold {fold}/2\n" + "".join(f"Epoch {epoch}/3\n" for epoch in (1, 2, 3)) for fold in (1, 2)]
    assert read("".join(lines).encode()) == (5, 6)


# --- whatever a job prints ---------------------------------------------------------------------------

WORDS = st.sampled_from([
    "Epoch ", "step ", "[", "]", "/", "3/90", "120/265", "45%|###|", " 7/9 [", "\r", "\n", "\b", "\x1b[A", "\x1b[",
    "checkpoint-1500", "{'loss': 1, 'learning_rate': 2, 'epoch': 0.2}", "epochs=3", "max_steps=0", "━━━", " of ",
    "epoch", "99999999999",
])  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(WORDS.map(str.encode), st.binary(max_size=20)), max_size=60))
def test_any_output_is_read_and_gives_sense_or_nothing(pieces: list[bytes]) -> None:
    reader = Reader(["train.py"], (3, 90))
    for piece in pieces:
        reader.feed(piece)
        if reader.progress is not None:
            step, total = reader.progress
            assert 0 <= step <= total
            assert total > 0


def test_after_a_gap_a_line_is_not_glued_to_the_line_before() -> None:
    reader = Reader()
    reader.feed(b"Epoch 3/90\nEpoch 4/")
    reader.skip()
    reader.feed(b"7\nEpoch 5/90\n")
    assert reader.progress == (4, 90)


@pytest.mark.parametrize(
    "endless", [b"x" * 2**16, b"Epoch " * 2**13, b"\x1b[" * 2**15, b"1/2 " * 2**14, b"\xe2\x94" * 2**15]
)
def test_a_line_without_end_takes_little_memory(endless: bytes) -> None:
    import tracemalloc

    reader = Reader()
    reader.feed(endless)
    tracemalloc.start()
    for _ in range(50):
        reader.feed(endless)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 100_000
