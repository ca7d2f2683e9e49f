"""Pretraining and its protocols: it learns, resumes exactly, is the same on two processes, refuses what is wrong."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recognizer.training.errors import TrainingError

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from moving_people import recording  # noqa: E402

from recognizer.datasets.sequences import Skeleton  # noqa: E402
from recognizer.training.loop import Hardware  # noqa: E402
from recognizer.training.models.gl_transformer import GlPretraining, GlTransformer  # noqa: E402
from recognizer.training.pretrain import pretraining as fitting  # noqa: E402
from recognizer.training.pretrain.pretraining import (  # noqa: E402
    WEIGHTS_FILE,
    MpdpTraining,
    PretrainingJob,
    load_pretrained,
)
from recognizer.training.pretrain.recipes import SIZES, SMALL_SET  # noqa: E402
from recognizer.training.run_folder import JOB_FILE, RunError  # noqa: E402
from research.pretrain import figures, speed  # noqa: E402
from research.pretrain.batches import MotionBatches  # noqa: E402
from research.pretrain.evaluation import FINE_TUNING  # noqa: E402
from research.pretrain.motion import motion_clips  # noqa: E402
from research.pretrain.pretraining import network_config, pretrain  # noqa: E402
from research.pretrain.protocols import (  # noqa: E402
    LinearSettings,
    classify,
    corrupt_joints,
    embeddings,
    fine_tune,
    linear_evaluation,
    score,
)

ROOT = Path(__file__).resolve().parents[3]
QUIET = Hardware(accelerator="cpu", precision="32-true", logs=False, checkpoint_steps=3)
RECIPE = SMALL_SET.changed(batch=8, epochs=4, learning_rate=3e-3, warmup=3, dropout=0.1)
TRAIN_ROWS, EVAL_ROWS = np.arange(24), np.arange(24, 36)


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    monkeypatch.setitem(SIZES, "tiny", {"width": 4, "depth": 2, "heads": 2})


def job(seed=0, **changes):
    return PretrainingJob("made-up", "tiny", RECIPE.changed(**changes), 12, seed)


def same(a, b):
    for name, value in a.state_dict().items():
        torch.testing.assert_close(b.state_dict()[name], value, rtol=0, atol=0, msg=name)


@pytest.fixture(scope="module")
def done(clips, tmp_path_factory):
    SIZES["tiny"] = {"width": 4, "depth": 2, "heads": 2}
    folder = tmp_path_factory.mktemp("done") / "run"
    return pretrain(clips, TRAIN_ROWS, job(), folder, QUIET), folder


def test_it_learns_how_the_body_moves(clips, tmp_path, monkeypatch):
    losses = []
    plain = MpdpTraining.losses
    monkeypatch.setattr(MpdpTraining, "losses", lambda self, batch: losses.append(plain(self, batch)) or losses[-1])
    pretrain(clips, TRAIN_ROWS, job(epochs=20), tmp_path / "run", QUIET)
    start, end = (np.mean([float(each["magnitude_joints"]) for each in part]) for part in (losses[:3], losses[-3:]))
    assert end < 0.6 * start


def test_a_finished_run_is_read_and_not_trained_again(clips, done, monkeypatch):
    network, folder = done[0].network, done[1]
    assert sorted(path.name for path in folder.iterdir()) == [JOB_FILE, WEIGHTS_FILE]
    monkeypatch.setattr(fitting, "fit", None)
    again = pretrain(clips, TRAIN_ROWS, job(), folder, QUIET)
    same(network, again.network)
    assert not again.network.training
    assert again.job["job"]["recipe"]["intervals"] == (1, 5, 10)


class Killed(Exception):
    pass


def test_a_killed_run_goes_on_to_the_same_weights(clips, done, tmp_path, monkeypatch):
    plain = MpdpTraining.training_step

    def killed(self, batch, batch_idx):
        if self.global_step == 8:
            raise Killed
        return plain(self, batch, batch_idx)

    monkeypatch.setattr(MpdpTraining, "training_step", killed)
    with pytest.raises(Killed):
        pretrain(clips, TRAIN_ROWS, job(), tmp_path, QUIET)
    assert (tmp_path / "last.ckpt").is_file()
    steps = []
    monkeypatch.setattr(
        MpdpTraining, "training_step", lambda self, b, i: steps.append(self.global_step) or plain(self, b, i)
    )
    same(done[0].network, pretrain(clips, TRAIN_ROWS, job(), tmp_path, QUIET).network)
    assert steps == [*range(6, 12)]


def test_seeds_differ(clips, done, tmp_path):
    other = pretrain(clips, TRAIN_ROWS, job(seed=1, epochs=1), tmp_path, QUIET).network
    assert not torch.equal(other.backbone.embed.weight, done[0].network.backbone.embed.weight)


TWO = """
import sys
from pathlib import Path
sys.path[:0] = [{root!r}, {here!r}]
import numpy as np
import torch
from moving_people import recording
from recognizer.training.pretrain.pretraining import PretrainingJob
from research.pretrain.pretraining import pretrain
from research.pretrain.motion import motion_clips
from recognizer.training.pretrain.recipes import SIZES, SMALL_SET
from recognizer.training.loop import Hardware
torch.set_num_threads(1)
SIZES["tiny"] = {{"width": 4, "depth": 2, "heads": 2}}
clips = motion_clips([recording(n, 8, "ab"[n % 2], False) for n in range(16)])
recipe = SMALL_SET.changed(batch=8, epochs=2, learning_rate=2e-3, dropout=0.0, stretch=0.0)
hardware = Hardware(accelerator="cpu", devices="2", strategy="ddp", precision="32-true", logs=False)
pretrain(clips, np.arange(16), PretrainingJob("made-up", "tiny", recipe, 12), Path({folder!r}), hardware)
"""


def test_two_processes_learn_what_one_does(tmp_path):
    """Every clip here has 8 frames, so that each process's mean is over as many frames as the other's."""
    clips = motion_clips([recording(n, 8, "ab"[n % 2], False) for n in range(16)])
    recipe = SMALL_SET.changed(batch=8, epochs=2, learning_rate=2e-3, dropout=0.0, stretch=0.0)
    one = pretrain(clips, np.arange(16), PretrainingJob("made-up", "tiny", recipe, 12), tmp_path / "one", QUIET).network
    script = tmp_path / "two.py"
    script.write_text(TWO.format(root=str(ROOT), here=str(Path(__file__).parent), folder=str(tmp_path / "two")))
    run = subprocess.run([sys.executable, script], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-2000:]
    two = torch.load(tmp_path / "two" / WEIGHTS_FILE, weights_only=True)["weights"]
    for name, weight in one.state_dict().items():
        torch.testing.assert_close(two[name], weight, rtol=1e-3, atol=1e-4, msg=name)


@pytest.mark.parametrize(
    "changes",
    [
        {"intervals": (1,), "magnitude": False},
        {"positions": "fixed", "pace": "sampled", "reading": "paper"},
        {"positions": "trainable", "global_translation": False, "between_people": False},
    ],
)
def test_ablations_train_and_come_back(clips, tmp_path, changes):
    network = pretrain(clips, TRAIN_ROWS, job(epochs=1, **changes), tmp_path, QUIET).network
    same(network, load_pretrained(tmp_path).network)
    assert len(network.directions) == len(changes.get("intervals", (1, 5, 10)))


def test_two_people_of_whom_the_second_may_be_missing(tmp_path):
    """As in NTU RGB+D; the figures name the tokens of both."""
    recordings = [recording(n, 8, "ab"[n % 2], False) for n in range(16)]
    pairs = [
        replace(one, others=(Skeleton(other.joints, other.seen),)) if n % 3 else one
        for n, (one, other) in enumerate(zip(recordings, reversed(recordings), strict=True))
    ]
    clips = motion_clips(pairs, people=2)
    network = pretrain(clips, np.arange(16), job(epochs=1, between_people=False), tmp_path / "run", QUIET).network
    assert network.backbone.config.global_tokens == [4, 5]
    assert len(figures.draw(network.backbone, clips, np.arange(16), "natural", tmp_path / "figures")) == 4


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / WEIGHTS_FILE).unlink(), "pretrain first"),
        (lambda folder: (folder / WEIGHTS_FILE).write_bytes(b"PK no weights"), "cannot be read"),
        (lambda folder: torch.save({"weights": {}}, folder / WEIGHTS_FILE), "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_run_is_one_line(done, tmp_path, spoil, words):
    for file in done[1].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    spoil(tmp_path)
    with pytest.raises(RunError, match=words) as error:
        load_pretrained(tmp_path)
    assert "\n" not in str(error.value)


def test_what_does_not_fit_is_refused_before_anything_is_written(clips, done, tmp_path):
    with pytest.raises(RunError, match="another training"):
        pretrain(clips, TRAIN_ROWS, job(seed=3), done[1], QUIET)
    moved = replace(clips, x=(clips.x[0] + 1, *clips.x[1:]))
    with pytest.raises(RunError, match="another training"):  # as many clips, of the same name, but others
        pretrain(moved, TRAIN_ROWS, job(), done[1], QUIET)
    with pytest.raises(TrainingError, match="shared evenly by 3"):
        pretrain(clips, TRAIN_ROWS, job(), tmp_path / "run", replace(QUIET, devices="3"))
    with pytest.raises(TrainingError, match="makes no network"):
        pretrain(clips, TRAIN_ROWS, job(positions="loose"), tmp_path / "run", QUIET)
    assert not (tmp_path / "run").exists()
    (tmp_path / "last.ckpt").write_bytes(b"no checkpoint")
    with pytest.raises(RunError, match="holds another training"):  # nobody knows whose it is
        pretrain(clips, TRAIN_ROWS, job(), tmp_path, QUIET)


def test_a_lost_loss_is_said(clips, tmp_path):
    with pytest.raises(RunError, match="lower --learning-rate"):
        pretrain(clips, TRAIN_ROWS, job(learning_rate=1e30), tmp_path, QUIET)


def test_embeddings_come_in_the_order_of_the_rows(clips, done):
    backbone, rows = done[0].network.backbone, np.array([5, 30, 2, 17])
    found = embeddings(backbone, clips, rows, "natural")
    for place, row in enumerate(rows):
        with torch.inference_mode():
            alone = backbone.embedding(torch.from_numpy(clips.x[row][:12])[None])[0]
        torch.testing.assert_close(found[place], alone, rtol=1e-4, atol=1e-5)


def test_linear_evaluation_tells_the_actions_apart_and_leaves_the_network(clips):
    """Of a network with random weights, which is enough for two actions."""
    torch.manual_seed(0)
    backbone = GlTransformer(network_config(clips, 12, "tiny", RECIPE))
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    how = LinearSettings(epochs=100, batch=8, learning_rate=0.03, copies=2)
    result = linear_evaluation(backbone, clips, TRAIN_ROWS, EVAL_ROWS, "natural", 0, how)
    assert result.of == 12
    assert result.accuracy > 0.8
    assert result.best_right is not None
    assert result.right <= result.best_right <= result.of
    assert result == linear_evaluation(backbone, clips, TRAIN_ROWS, EVAL_ROWS, "natural", 0, how)
    for name, value in backbone.state_dict().items():
        assert torch.equal(before[name], value)


def test_corrupted_joints_are_gone_in_the_clips_to_judge_by_alone(clips):
    corrupted_clips = corrupt_joints(clips, EVAL_ROWS, 3, seed=0)
    body = [joint for joint in range(len(clips.joints)) if joint != clips.global_joint]
    lost = []
    for row in EVAL_ROWS:
        changed = [
            joint for joint in body if not np.array_equal(corrupted_clips.x[row][:, joint], clips.x[row][:, joint])
        ]
        assert not corrupted_clips.x[row][:, changed].any()
        np.testing.assert_array_equal(
            corrupted_clips.x[row][:, clips.global_joint], clips.x[row][:, clips.global_joint]
        )
        lost.append(tuple(changed))
    assert {len(joints) for joints in lost} == {3}
    assert len(set(lost)) > 1  # drawn for each clip
    assert all(corrupted_clips.x[row] is clips.x[row] for row in TRAIN_ROWS)
    with pytest.raises(ValueError, match="cannot be corrupted"):
        corrupt_joints(clips, EVAL_ROWS, len(body) + 1, seed=0)


def test_linear_evaluation_along_three_axes_takes_all_embeddings(clips):
    torch.manual_seed(0)
    backbone = GlTransformer(network_config(clips, 12, "tiny", RECIPE))
    turned = replace(clips, x=tuple(np.roll(clip, 1, axis=2) for clip in clips.x))
    torch.testing.assert_close(
        embeddings(backbone, clips, EVAL_ROWS, "natural", axis=1), embeddings(backbone, turned, EVAL_ROWS, "natural")
    )
    one, three = (
        linear_evaluation(backbone, clips, TRAIN_ROWS, EVAL_ROWS, "natural", 0, LinearSettings(epochs=20, axes=axes))
        for axes in (1, 3)
    )
    assert one != three


def test_clips_in_two_dimensions_have_one_view(clips):
    flat = replace(clips, x=tuple(clip[..., :2] for clip in clips.x))
    backbone = GlTransformer(network_config(flat, 12, "tiny", RECIPE))
    how = LinearSettings(epochs=20)
    found = [
        linear_evaluation(backbone, flat, TRAIN_ROWS, EVAL_ROWS, "natural", 0, replace(how, axes=axes))
        for axes in (1, 3)
    ]
    assert found[0] == found[1]


def test_corrupted_joints_cost_accuracy(clips):
    torch.manual_seed(0)
    backbone = GlTransformer(network_config(clips, 12, "tiny", RECIPE))
    how = LinearSettings(epochs=100, batch=8, learning_rate=0.03, copies=2)
    whole, corrupted_clips = (
        linear_evaluation(backbone, clips, TRAIN_ROWS, EVAL_ROWS, "natural", 0, replace(how, corrupted=count))
        for count in (0, len(clips.joints) - 1)
    )
    assert corrupted_clips.right < whole.right


def test_fine_tuning_learns_of_the_labelled_clips_alone(clips, done, tmp_path):
    backbone = done[0].network.backbone
    before = backbone.embed.weight.clone()
    recipe = FINE_TUNING.changed(epochs=100, batch=8, learning_rate=3e-3)
    network = fine_tune(backbone, clips, TRAIN_ROWS[:16], recipe, 0, tmp_path, QUIET, {"made": "up"})
    assert torch.equal(backbone.embed.weight, before)
    assert not torch.equal(network.backbone.embed.weight, before)
    assert classify(network, clips, TRAIN_ROWS[:16], "natural").accuracy > 0.8
    with pytest.raises(RunError, match="another training"):
        fine_tune(backbone, clips, TRAIN_ROWS[:16], recipe, 0, tmp_path, QUIET, {"made": "other"})


def test_score():
    found = score(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]))
    assert (found.right, found.of, found.accuracy, found.balanced) == (3, 4, 0.75, 0.75)


@pytest.mark.filterwarnings("error")
def test_score_is_over_the_actions_that_occur():
    found = score(np.array([0, 2, 1, 1]), np.array([0, 0, 1, 1]))
    assert (found.accuracy, found.balanced) == (0.75, 0.75)


def test_figures_are_drawn(clips, done, tmp_path):
    written = figures.draw(done[0].network.backbone, clips, TRAIN_ROWS, "natural", tmp_path / "figures")
    assert [path.name for path in written] == [
        *("attention-joints.png", "attention-frames.png", "attended-distance.png", "position-similarity.png")
    ]
    for path in written:
        assert path.read_bytes().startswith(b"\x89PNG")
    assert len(list((tmp_path / "figures").iterdir())) == 4


def test_attended_distance_of_attention_that_is_alike(clips, done):
    """A network whose queries are 0 looks at all frames alike, however long the clip."""
    backbone = GlTransformer(done[0].network.backbone.config)
    for block in backbone.blocks:
        torch.nn.init.zeros_(block.temporal.qkv.weight)
        torch.nn.init.zeros_(block.temporal.qkv.bias)
    found = figures.attention_statistics(backbone, clips, TRAIN_ROWS, "natural")
    lengths = [min(len(clips.x[row]), 12) for row in TRAIN_ROWS]
    alike = np.mean([np.abs(np.subtract.outer(np.arange(n), np.arange(n))).mean() for n in lengths])
    assert found.uniform_distance == pytest.approx(alike, rel=1e-4)
    np.testing.assert_allclose(found.distance, alike, rtol=1e-4)
    np.testing.assert_allclose(found.joints.sum(axis=3), 1, rtol=1e-4)


def test_similarity_of_positions():
    table = torch.tensor([[[1.0, 0], [0, 2]], [[0, 1], [0, 1]]])  # (T, J, D)
    frames, joints = figures.similarity(table)
    np.testing.assert_allclose(frames, [[1, 0.5], [0.5, 1]])
    np.testing.assert_allclose(joints, [[1, 0.5], [0.5, 1]])


def test_both_ways_of_the_speed_test_compute_the_same(clips, monkeypatch):
    network = GlPretraining(GlTransformer(network_config(clips, 20, "tiny", RECIPE)), 3).eval()
    x, real, *_ = MotionBatches(clips, TRAIN_ROWS, RECIPE, 20, 0).batch(0)
    assert real.shape[1] < 20
    with torch.inference_mode():
        wide = speed._full_width(network, speed._padded(x, 20), speed._padded(real, 20))
        for ours, theirs in zip(network(x, real), wide, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    found = speed.measure(clips, TRAIN_ROWS, RECIPE, 20, "tiny", steps=2)
    assert found.packed > 0
    assert found.gain == pytest.approx(found.packed / found.full_width)
    assert 0.3 < found.real < 0.7


def test_job_files_are_plain_json(done):
    assert json.loads((done[1] / JOB_FILE).read_text())["job"]["recipe"]["name"] == "small-set"
