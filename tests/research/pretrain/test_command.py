"""The command `pretrain` from its arguments to its files, on a made-up NW-UCLA."""

import argparse
import json
from dataclasses import asdict

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from moving_people import recording  # noqa: E402

from pose.errors import ActionLensError  # noqa: E402
from recognizer.training.pretrain.pretraining import load_pretrained  # noqa: E402
from recognizer.training.pretrain.recipes import SIZES  # noqa: E402
from research.pretrain import pretrain_command  # noqa: E402
from research.pretrain.protocols import LinearSettings  # noqa: E402

QUIET = ("--accelerator", "cpu", "--precision", "32-true")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    (root / "nw_ucla").mkdir()
    for number in range(36):
        joints = recording(number, 6 + number % 5, "ab"[number % 2], False).joints * [-1, -1, 1]
        name = f"a{1 + number % 2:02d}_s{9 if number % 3 else 1:02d}_e{number:02d}_v{1 + number % 3:02d}"
        (root / "nw_ucla" / f"{name}.json").write_text(json.dumps({"skeletons": np.round(joints, 4).tolist()}))
    return root


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    monkeypatch.setitem(SIZES, "tiny", {"width": 4, "depth": 2, "heads": 2})


def call(*arguments):
    parser = argparse.ArgumentParser()
    pretrain_command.add_arguments(parser)
    pretrain_command.run(parser.parse_args([str(argument) for argument in arguments]))


def pretrained(data, out, *more):
    call(
        "run", "--data", data, "--out", out, "--size", "tiny", "--epochs", 2, "--batch", 8, "--frames", 8, *more, *QUIET
    )


def test_from_pretraining_to_figures(data, tmp_path, capsys):
    for seed in (0, 1):
        pretrained(data, tmp_path / str(seed), "--seed", seed)
    assert "24 clips" in capsys.readouterr().out
    runs = [tmp_path / "0", tmp_path / "1"]
    few = ("--shares", 0.5, "--epochs", 2, "--batch", 4, *QUIET)
    call("evaluate", "--data", data, "--runs", *runs, *few)
    said = capsys.readouterr().out
    assert "linear: " in said
    assert "over 2 run(s)" in said
    result = json.loads((runs[0] / "semi-50.json").read_text())
    assert result["labelled"] == 12
    assert result["score"]["of"] == 12
    assert result["described"]["pretraining"]["seed"] == 0
    # What is measured is read, not measured again.
    result["score"]["right"] = 12
    (runs[0] / "semi-50.json").write_text(json.dumps(result))
    call("evaluate", "--data", data, "--runs", runs[0], "--protocols", "semi", *few)
    assert "semi-50: 100.0%" in capsys.readouterr().out
    call("evaluate", "--data", data, "--runs", runs[0], "--protocols", "linear", "--scratch", *few)
    assert "scratch-linear: " in capsys.readouterr().out
    kept = (runs[0] / "linear.json").read_text()
    call("evaluate", "--data", data, "--runs", runs[0], "--task", "nw-ucla-corrected", "--protocols", "linear", *few)
    assert "nw-ucla-corrected-linear: " in capsys.readouterr().out
    assert (runs[0] / "linear.json").read_text() == kept
    call("figures", "--data", data, "--run", runs[0], "--out", tmp_path / "figures")
    assert "attended-distance.png" in capsys.readouterr().out
    assert len(list((tmp_path / "figures").iterdir())) == 4


def test_ablations_by_flag(data, tmp_path):
    flags = (
        "--intervals 1 3 --no-magnitude --no-global-translation --no-between-people --positions fixed --pace sampled"
    )
    pretrained(
        data, tmp_path, *flags.split(), "--reading", "paper", "--facing", "clip", "--part", "validation", "--decay", 0.9
    )
    done = load_pretrained(tmp_path)
    recipe = done.job["job"]["recipe"]
    assert (recipe["intervals"], recipe["magnitude"], recipe["global_translation"]) == ((1, 3), False, False)
    assert recipe["decay"] == 0.9
    assert (recipe["reading"], recipe["facing"], recipe["pace"]) == ("paper", "clip", "sampled")
    assert done.network.backbone.config.positions == "fixed"
    assert not done.network.backbone.config.between_people
    assert done.job["job"]["part"] == "validation"


def test_ablations_by_one_command(data, tmp_path, capsys):
    names = ("--only", "whole", "no-magnitude", "sampled")
    size = ("--size", "tiny", "--epochs", 1, "--batch", 8, "--frames", 8)
    ablations = ("ablations", "--data", data, "--out", tmp_path, "--part", "validation", *size, *names, *QUIET)
    call(*ablations, "--seeds", 0)
    lines = capsys.readouterr().out.splitlines()[-3:]
    assert [line.split(" | ")[0] for line in lines] == ["| whole", "| no-magnitude", "| sampled"]
    assert load_pretrained(tmp_path / "no-magnitude.seed0").network.magnitudes is None
    result = tmp_path / "whole.seed0" / "linear.json"
    content = json.loads(result.read_text())
    content["score"]["right"] = content["score"]["of"]
    result.write_text(json.dumps(content))
    call(*ablations, "--seeds", 0)
    assert "| whole | 100.0 | 1 |" in capsys.readouterr().out  # read, not measured again


def test_turns_steps_and_epochs_of_the_linear_evaluation_by_flag(data, tmp_path, capsys):
    pretrained(data, tmp_path, "--yaw", 30, "--magnitude-steps", "set", "--pace", "squeezed", "--axes", 3)
    recipe = load_pretrained(tmp_path).job["job"]["recipe"]
    assert (recipe["yaw_deg"], recipe["steps"], recipe["pace"], recipe["axes"]) == (30, "set", "squeezed", 3)
    evaluate = ("evaluate", "--data", data, "--runs", tmp_path, "--protocols", "linear", *QUIET)
    call(*evaluate, "--linear-epochs", 3)
    assert json.loads((tmp_path / "linear.json").read_text())["described"]["linear"]["epochs"] == 3
    call(*evaluate)
    assert json.loads((tmp_path / "linear.json").read_text())["described"]["linear"] == {
        **asdict(LinearSettings()),
        "axes": 3,
    }


def test_validation_tells_how_the_evaluation_rises(data, tmp_path):
    pretrained(data, tmp_path, "--part", "validation", "--evaluate-every", 1)
    points = json.loads((tmp_path / "curve.json").read_text())
    assert [point["epoch"] for point in points] == [1, 2]
    assert all(0 <= point["right"] <= point["of"] for point in points)


def test_the_evaluation_comes_every_so_many_epochs_and_at_the_end(data, tmp_path, monkeypatch):
    pretrained(data, tmp_path, "--part", "validation", "--evaluate-every", 2, "--epochs", 5)
    points = json.loads((tmp_path / "curve.json").read_text())
    assert [point["epoch"] for point in points] == [2, 4, 5]


def test_speed(data, capsys):
    call("speed", "--data", data, "--size", "tiny", "--steps", 1, "--batch", 4, "--frames", 20)
    assert "clips a second on real frames alone" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--task", "ucf"), "no task"),
        (("run", "--recipe", "best"), "no recipe"),
        (("run", "--size", "huge"), "no size"),
        (("run", "--frames", 1), "too few"),
        (("run", "--decay", 0), "decay must be above 0 and at most 1, got 0.0"),
        (("run", "--evaluate-every", 1), "--part validation"),
        (("ablations", "--only", "all"), "no ablation"),
        (("evaluate",), "pretrain first"),
    ],
)
def test_mistakes_are_told_in_one_line(data, tmp_path, arguments, words):
    out = {"run": ("--out", tmp_path), "ablations": ("--out", tmp_path), "evaluate": ("--runs", tmp_path)}[arguments[0]]
    with pytest.raises(ActionLensError, match=words) as error:
        call(arguments[0], "--data", data, *out, *arguments[1:])
    assert "\n" not in str(error.value)


def test_shares_are_shares(data, tmp_path):
    pretrained(data, tmp_path)
    with pytest.raises(ActionLensError, match="not a share"):
        call("evaluate", "--data", data, "--runs", tmp_path, "--shares", 1.5)


def test_corrupted_joints_by_flag(data, tmp_path, capsys):
    pretrained(data, tmp_path)
    evaluate = ("evaluate", "--data", data, "--runs", tmp_path, "--protocols", "linear", *QUIET)
    call(*evaluate, "--corrupted", 1, 3)
    said = capsys.readouterr().out
    assert all(f"{name}: " in said for name in ("linear", "linear-1-corrupted", "linear-3-corrupted"))
    with pytest.raises(ActionLensError, match="--corrupted 99 is not between 1 and 19"):
        call(*evaluate, "--corrupted", 99)


def test_without_a_network(data, capsys):
    call("without-network", "--data", data, "--frames", 8)
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["poses", "answers", "both"]
