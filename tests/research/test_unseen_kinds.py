"""Alarms on kinds of motion that a network saw, against the same kinds unseen."""

import pytest

from recognizer.training.command_line import main as train
from recognizer.training.run_folder import RunError
from research.command_line import main
from research.unseen_kinds import KindAlarms, as_text, check_alone, compare, unseen_by


def test_a_kind_is_unseen_only_by_those_who_left_it_out():
    first = {"lunge": (10, 6), "dance": (20, 1), "burpee": (5, 5)}
    second = {"lunge": (10, 2), "dance": (20, 9), "burpee": (5, 5)}
    found = compare([first, second], [{"lunge", "cartwheel"}, {"dance"}])
    assert found == [KindAlarms("dance", 20, 1, 9), KindAlarms("lunge", 10, 2, 6)]
    assert as_text(found).splitlines()[-1].split() == ["all", "30", "10.0%", "50.0%"]


def test_a_kind_that_everybody_left_out_has_nothing_to_compare_with():
    assert compare([{"lunge": (10, 6)}, {"lunge": (10, 1)}], [{"lunge"}, {"lunge"}]) == []


def test_a_kind_that_another_set_shows_as_well_or_that_is_generated_is_not_unseen():
    trained = {"penn_action/bowl", "utd_mhad/lunge", "webcam_poses/lunge", "webcam_poses/dance"}
    generated = {"generated/dance"}
    left = ["webcam_poses/lunge", "webcam_poses/dance", "penn_action/bowl", "nobody/trains"]
    assert unseen_by({"left_out": left, "generated": True}, trained, generated) == {"bowl"}
    assert unseen_by({"left_out": left}, trained, generated) == {"bowl", "dance"}
    both = [*left, "utd_mhad/lunge"]
    assert unseen_by({"left_out": both, "generated": False}, trained, generated) == {"bowl", "dance", "lunge"}


@pytest.mark.parametrize("network", [{"start": "seed0"}, {"teachers": ["choice0"]}])
def test_a_run_that_learned_from_another_network_is_refused(network, tmp_path):
    check_alone(tmp_path, {"start": "", "teachers": []})
    with pytest.raises(RunError, match="trained with --start or --teacher; give runs"):
        check_alone(tmp_path, network)


def test_runs_that_left_nothing_out_are_one_line(tiny_data, tmp_path, capsys):
    out = tmp_path / "run"
    assert train(["train", "--data", str(tiny_data), "--out", str(out), "--steps", "1", "--batch", "4"]) == 0
    assert main(["unseen-kinds", "--data", str(tiny_data), "--run", str(out), str(out)]) == 2
    assert "train at least two with --leave-out" in capsys.readouterr().err


@pytest.mark.slow
def test_from_trained_runs_to_a_table(tiny_data, tmp_path, capsys):
    kinds = {"a": ["penn_action/bowl", "utd_mhad/swipe_left"], "b": ["msr_action3d/hammer"]}
    for name, left in kinds.items():
        arguments = ["--out", str(tmp_path / name), "--steps", "2", "--batch", "8", "--leave-out", *left]
        assert train(["train", "--data", str(tiny_data), *arguments]) == 0
    runs = [str(tmp_path / name) for name in kinds]
    out = tmp_path / "out.json"
    assert main(["unseen-kinds", "--data", str(tiny_data), "--run", *runs, "--out", str(out)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("all ")
    assert out.is_file()
