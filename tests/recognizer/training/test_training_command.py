"""The command line: train, evaluate and export on tiny data, and what a wrong folder says."""

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from recognizer.datasets import utd_mhad, webcam_poses  # noqa: E402
from recognizer.datasets.registry import DATASETS  # noqa: E402
from recognizer.model_card import ModelCard  # noqa: E402
from recognizer.onnx_recognizer import OnnxRecognizer  # noqa: E402
from recognizer.teaching.full_start import NETWORKS_FILE  # noqa: E402
from recognizer.training.command_line import main  # noqa: E402
from recognizer.training.everyday import ACTIONS  # noqa: E402
from recognizer.training.export import export, with_inside  # noqa: E402
from recognizer.training.fine_tune.start import load_networks, save_networks  # noqa: E402
from recognizer.training.models.deployed import Deployed  # noqa: E402
from recognizer.training.models.registry import NetworkSpec  # noqa: E402
from recognizer.training.recalibrate import ExportedGraph  # noqa: E402
from recognizer.training.run_folder import NETWORK_FILE, load_run  # noqa: E402


@pytest.fixture(scope="module")
def trained(tiny_data, tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    for name, people in (("choice", "train"), ("final", "all")):
        arguments = ["--data", str(tiny_data), "--out", str(runs / name), "--people", people]
        smallest = ["--network", "act-micro", "--set", "layers=1"]  # which is exported in a quarter of the time
        assert main(["train", *arguments, *smallest, "--steps", "3", "--batch", "16"]) == 0
    return runs


@pytest.fixture(scope="module")
def exported(trained, tiny_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights") / "act"
    arguments = ["--data", str(tiny_data), "--run", str(trained / "final"), "--calibrate", str(trained / "choice")]
    assert main(["export", *arguments, "--weights", str(folder)]) == 0
    return folder


def test_the_exported_folder_is_a_model_that_repeats_the_networks_answer(exported):
    recognizer = OnnxRecognizer(exported, "cpu")
    assert recognizer.actions == ACTIONS
    assert recognizer.self_test().max_error < 1e-4
    assert sorted(file.name for file in exported.iterdir()) == ["card.json", "model.onnx", "network.npz"]


def test_networks_of_another_recognizer_are_averaged_beside_its_own(trained, tiny_data, tmp_path, capsys):
    data = ["--data", str(tiny_data)]
    small = ["--network", "dd-net", "--set", "filters=4", "--steps", "2", "--batch", "16", "--people", "all"]
    assert main(["train", *data, "--out", str(tmp_path / "dd"), *small]) == 0
    command = ["export", *data, "--calibrate", str(trained / "choice"), "--weights", str(tmp_path / "act")]
    assert main([*command, "--run", str(trained / "final"), str(tmp_path / "dd")]) == 2
    assert "others with --beside" in capsys.readouterr().err
    assert main([*command, "--run", str(trained / "final"), "--beside", str(tmp_path / "dd")]) == 0
    card = ModelCard.load(tmp_path / "act")
    assert (card.model, card.embedding.shape) == ("act", ("N", 64 + 128))
    assert card.notes.endswith("Averaged with 1 DD-Net.")
    kept = load_networks(tmp_path / "act")
    assert (kept.spec.name, len(kept.networks)) == ("act-micro", 1)
    assert OnnxRecognizer(tmp_path / "act", "cpu").self_test().max_error < 1e-4


def test_the_networks_are_kept_beside_it_to_be_trained_on(exported, trained):
    (network,) = load_networks(exported).networks
    for name, values in load_run(trained / "final").network.state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], values, rtol=0, atol=0)


def test_models_tell_nothing_of_the_machine_they_were_made_on(exported):
    shipped = Path(__file__).resolve().parents[3] / "weights"
    for model in [exported / "model.onnx", *shipped.glob("*/model.onnx")]:
        content = model.read_bytes()
        assert b".py" not in content, model
        assert str(Path(__file__).resolve().parents[3]).encode() not in content, model


@pytest.mark.parametrize("place", ["/work/", "/home/", "/tmp/", "/root/", "site-packages"])
def test_no_shipped_file_holds_a_path_of_the_machine_that_made_it(place):
    for file in (path for path in (Path(__file__).resolve().parents[3] / "weights").rglob("*") if path.is_file()):
        assert place.encode() not in file.read_bytes(), file
        if file.suffix == ".npz":
            with zipfile.ZipFile(file) as packed:
                assert not [name for name in packed.namelist() if place.encode() in packed.read(name)], file


def test_the_card_names_its_data_its_splits_and_its_limits(exported):
    card = ModelCard.load(exported)
    assert {"validation_clips", "test_clips", "test_false_alarms", "test_by_seed"} <= set(card.metrics)
    assert card.decision.other == ("other",)
    sets = ("penn_action", "utd_mhad", "nw_ucla", "msr_action3d", "jhmdb14", "webcam_poses")
    assert card.training_data == tuple(DATASETS[name].terms for name in sets)
    assert all(source.terms for source in card.training_data)
    assert "optimistic for a webcam" in card.notes
    confusion = np.array(card.metrics["test_clips"]["confusion"]["rows_true_columns_predicted"])
    assert confusion.shape == (len(ACTIONS), len(ACTIONS))


def test_an_exported_model_is_recalibrated_without_its_graph_being_touched(exported, tiny_data, tmp_path, capsys):
    shutil.copytree(exported, tmp_path, dirs_exist_ok=True)
    graph, card = (tmp_path / "model.onnx").read_bytes(), ModelCard.load(tmp_path)
    strict = replace(card.decision, thresholds=dict.fromkeys(ACTIONS, 0.99), needs={}, temperature=9.0)
    replace(card, decision=strict, metrics={"old": {"split": "none"}}).save(tmp_path)
    command = ["recalibrate", "--data", str(tiny_data), "--weights", str(tmp_path)]
    assert main(command) == 2
    assert "was trained on the validation people, who choose its thresholds" in capsys.readouterr().err
    (tmp_path / "network.npz").unlink()  # which says so
    assert main(command) == 0
    again = ModelCard.load(tmp_path)
    assert (tmp_path / "model.onnx").read_bytes() == graph
    assert again.decision.thresholds["walk"] < 0.99
    assert again.decision.needs.keys() == card.decision.needs.keys()  # what was chosen, of this graph now: test_needs
    assert set(again.metrics) == set(card.metrics) - {"test_by_seed"}
    assert capsys.readouterr().out.endswith(f"{tmp_path}\n")


@pytest.mark.parametrize("bias", [-1.0, 0.0, 0.5])
def test_what_a_graph_answers_without_its_bias(bias, tmp_path):
    """As it was exported: what an action needs is measured without the bias."""
    network = NetworkSpec("act-micro", len(ACTIONS) + 3, {"layers": 1}).build().eval()
    content, _, _ = with_inside(Deployed([network], len(ACTIONS) - 1, other_bias=bias).eval(), 78)
    graph, features = ExportedGraph(content, "logits"), torch.randn(3, 30, 78)
    assert graph.bias == bias
    with torch.inference_mode():
        expected = Deployed([network], len(ACTIONS) - 1)(features)
    torch.testing.assert_close(graph(features), expected, rtol=1e-3, atol=1e-4)


def test_evaluate_prints_a_report_of_each_run_and_of_their_mean(trained, tiny_data, capsys):
    runs = [str(trained / "choice"), str(trained / "final")]
    calibrate = ["--calibrate", str(trained / "choice"), "--split", "test"]
    assert main(["evaluate", "--data", str(tiny_data), "--run", *runs, *calibrate]) == 0
    out = capsys.readouterr().out
    assert out.count(" kept\n") == 4
    assert "\nprobabilities averaged: accuracy" in out
    assert "\nlogits averaged: accuracy" in out


def test_thresholds_are_not_chosen_on_people_the_network_knows(trained, tiny_data, tmp_path, capsys):
    arguments = ["--data", str(tiny_data), "--run", str(trained / "final"), "--calibrate", str(trained / "final")]
    assert main(["export", *arguments, "--weights", str(tmp_path / "act")]) == 2
    assert "--people train" in capsys.readouterr().err
    assert not (tmp_path / "act").exists()


def test_a_teacher_that_knows_the_people_who_judge_is_refused(trained, tiny_data, tmp_path, capsys):
    arguments = ["train", "--data", str(tiny_data), "--steps", "2", "--batch", "16", "--teacher"]
    assert main([*arguments, str(trained / "final"), "--out", str(tmp_path / "a")]) == 2
    assert "validation people" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()
    assert main([*arguments, str(trained / "choice"), "--out", str(tmp_path / "b")]) == 0
    assert load_run(tmp_path / "b").settings["teachers"] == ("choice",)


def test_training_goes_on_from_a_run_of_people_who_may_train(trained, tiny_data, tmp_path, capsys):
    arguments = ["train", "--data", str(tiny_data), "--steps", "1", "--batch", "16", "--learning-rate", "1e-9"]
    assert main([*arguments, "--start", str(trained / "final"), "--out", str(tmp_path / "a")]) == 2
    assert "validation people" in capsys.readouterr().err
    assert main([*arguments, "--start", str(trained / "choice"), "--out", str(tmp_path / "b")]) == 0
    begun, run = load_run(trained / "choice"), load_run(tmp_path / "b")
    assert run.settings["start"] == "choice"
    assert run.spec == begun.spec
    for name, values in begun.network.state_dict().items():
        if "head" not in name:
            torch.testing.assert_close(run.network.state_dict()[name], values, rtol=0, atol=1e-6)


def test_training_goes_on_from_no_model_that_may_know_who_judges(exported, trained, tiny_data, tmp_path, capsys):
    arguments = ["train", "--data", str(tiny_data), "--steps", "1", "--batch", "16"]
    assert load_networks(exported).parts == ("train", "validation")
    assert main([*arguments, "--start", str(exported), "--out", str(tmp_path / "a")]) == 2
    assert "validation people" in capsys.readouterr().err
    chosen = tmp_path / "chosen"
    shutil.copytree(exported, chosen)
    save_networks(chosen, [load_run(trained / "choice")], averaged=1)
    assert main([*arguments, "--start", str(chosen), "--out", str(tmp_path / "b")]) == 0
    with np.load(chosen / NETWORKS_FILE) as arrays:
        about = json.loads(str(arrays["about"]))
        rest = {name: arrays[name] for name in arrays.files if name != "about"}
    del about["parts"]
    np.savez(chosen / NETWORKS_FILE, about=np.array(json.dumps(about)), **rest)
    assert main([*arguments, "--start", str(chosen), "--out", str(tmp_path / "c")]) == 2
    assert "does not say whom it was trained on" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()
    assert main([*arguments, "--start", str(chosen), "--out", str(tmp_path / "d"), "--people", "all"]) == 0


@pytest.mark.parametrize("more", [("--network", "dd-net"), ("--set", "layers=1")])
def test_a_network_to_begin_with_and_another_are_refused(more, trained, tiny_data, tmp_path, capsys):
    arguments = ["train", "--data", str(tiny_data), "--start", str(trained / "choice"), "--out", str(tmp_path / "a")]
    assert main([*arguments, *more]) == 2
    assert "leave out --network and --set" in capsys.readouterr().err


def test_a_training_is_not_taken_for_another(trained, tiny_data, capsys):
    folder = trained / "choice"
    arguments = ["train", "--data", str(tiny_data), "--out", str(folder), "--network", "act-micro"]
    arguments += ["--set", "layers=1", "--batch", "16"]
    before = (folder / NETWORK_FILE).read_bytes()
    assert main([*arguments, "--steps", "3", "--seed", "2"]) == 2
    assert "holds another training" in capsys.readouterr().err
    assert (folder / NETWORK_FILE).read_bytes() == before
    assert main([*arguments, "--steps", "3"]) == 0


def test_a_failed_export_leaves_the_old_model(exported, trained, monkeypatch, tmp_path):
    before = {file.name: file.read_bytes() for file in exported.iterdir()}

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pose.whole_file.os.replace", full_disk)
    monkeypatch.setattr("recognizer.training.export.to_onnx", lambda *_: b"half a model")
    card = ModelCard.load(exported)
    with pytest.raises(OSError, match="No space"):
        export(
            *(_Constant(), exported),
            name="act",
            family="act",
            decision=card.decision,
            metrics={},
            training_data=card.training_data,
            notes="",
        )
    assert {file.name: file.read_bytes() for file in exported.iterdir()} == before


class _Constant(torch.nn.Module):
    def forward(self, features):
        return torch.zeros(len(features), len(ACTIONS))


@pytest.mark.parametrize("command", ["train", "evaluate", "export"])
def test_a_wrong_folder_is_one_line_and_status_2(command, tmp_path, capsys):
    more = {"train": ["--out", str(tmp_path / "run")], "evaluate": ["--run", str(tmp_path)]}
    more["export"] = ["--run", str(tmp_path), "--calibrate", str(tmp_path), "--weights", str(tmp_path / "w")]
    assert main([command, "--data", str(tmp_path), *more[command]]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert str(tmp_path) in error
    assert "give the folder" in error


def test_a_run_that_is_not_there_or_broken_is_one_line(trained, tiny_data, tmp_path, capsys):
    assert main(["evaluate", "--data", str(tiny_data), "--run", str(tmp_path)]) == 2
    assert "train first" in capsys.readouterr().err
    (tmp_path / NETWORK_FILE).write_bytes((trained / "final" / NETWORK_FILE).read_bytes()[:5000])
    assert main(["evaluate", "--data", str(tiny_data), "--run", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "train again" in error
    assert error.count("\n") == 1


def test_settings_travel_with_the_run(trained):
    content = torch.load(trained / "final" / NETWORK_FILE, weights_only=True)
    assert content["settings"]["steps"] == 3
    assert content["settings"]["parts"] == ("train", "validation")
    assert json.dumps(content["settings"])


def test_a_kind_to_leave_out_that_is_not_there_is_one_line(tiny_data, tmp_path, capsys):
    out = tmp_path / "run"
    assert main(["train", "--data", str(tiny_data), "--out", str(out), "--leave-out", "utd_mhad/dance"]) == 2
    assert "no recording is of the kind utd_mhad/dance" in capsys.readouterr().err


def test_evaluate_reads_the_data_sets_once(trained, tiny_data, monkeypatch):
    read: list[str] = []

    def counted(module):
        found = module.read
        return lambda folder: (read.append(folder.name), found(folder))[1]

    monkeypatch.setattr(webcam_poses, "read", counted(webcam_poses))
    monkeypatch.setitem(DATASETS, "utd_mhad", replace(DATASETS["utd_mhad"], read=counted(utd_mhad)))
    assert main(["evaluate", "--data", str(tiny_data), "--run", str(trained / "choice"), "--split", "test"]) == 0
    assert sorted(read) == ["utd_mhad", "webcam_poses"]
