"""Full teaching: a network learns made-up actions, and becomes a model like any other."""

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from teaching_examples import made_example, made_examples

from pose.onnx_session import cpu_session
from recognizer.model_card import ModelCard
from recognizer.onnx_recognizer import OnnxRecognizer
from recognizer.teaching.check import EXAMPLES, PEOPLE, SESSIONS
from recognizer.teaching.errors import TeachingError
from recognizer.teaching.full_start import NETWORKS_FILE, start_sentence
from recognizer.teaching.lesson import NOTHING
from recognizer.teaching.request import FULL, TeachingRequest, write_request
from recognizer.teaching.run import card_metrics
from recognizer.teaching.versions import place_version, taught_model, try_folder
from recognizer.training.fine_tune.check import evaluate, remarks, split
from recognizer.training.fine_tune.fine_tune_command import add_fine_tune, run_fine_tune
from recognizer.training.fine_tune.start import copy_body, load_networks, save_networks
from recognizer.training.fine_tune.training import (
    FineTuneSettings,
    WindowSampler,
    fit_network,
    whole_example_probabilities,
)
from recognizer.training.models.deployed import Deployed
from recognizer.training.models.registry import NetworkSpec
from recognizer.training.run_folder import RunError, TrainedRun

SETTINGS = FineTuneSettings(steps=40, batch=32)
WEIGHTS = Path(__file__).resolve().parents[4] / "weights"
SHIPPED = sorted(path.parent for path in WEIGHTS.glob(f"*/{NETWORKS_FILE}"))


def run(folder, *more):
    parser = argparse.ArgumentParser()
    add_fine_tune(parser)
    run_fine_tune(parser.parse_args([str(folder), *more]))


@pytest.fixture
def quiet(monkeypatch):
    monkeypatch.setattr("recognizer.training.fine_tune.fine_tune_command.lower_priority", lambda: None)
    monkeypatch.setattr("recognizer.training.fine_tune.fine_tune_command.signal.signal", lambda *_: None)


def test_it_learns_actions_that_differ():
    network = fit_network(made_examples(), SETTINGS)
    others = [made_example(action, 50 + n) for n in range(3) for action in ("bow", "raise", "step")]
    found = whole_example_probabilities(network, others)[:, :-1].argmax(axis=1)
    assert (found == [0, 1, 2] * 3).mean() > 0.7


def test_the_body_of_a_trained_network_is_kept_and_its_head_is_new():
    start = NetworkSpec("act-micro", 7, {}).build()
    network = NetworkSpec("act-micro", 4, {}).build()
    head = network.head[1].weight.clone()
    copy_body(start, network)
    assert (network.embed.weight == start.embed.weight).all()
    assert (network.head[1].weight == head).all()
    with pytest.raises(ValueError, match="same kind and size"):
        copy_body(NetworkSpec("act-small", 4, {}).build(), network)


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: path.name)
def test_the_networks_beside_a_model_are_those_in_its_graph(folder):
    card = ModelCard.load(folder)
    network = Deployed(load_networks(folder).networks, listed=len(card.actions) - 1).eval()
    features = np.random.default_rng(card.parity.input_seed).standard_normal((1, card.frames, network.sign.numel()))
    session = cpu_session((folder / "model.onnx").read_bytes())
    assert card.embedding is not None
    (found,) = session.run([card.embedding.name], {"features": features.astype(np.float32)})
    with torch.inference_mode():
        kept = network.inside(torch.from_numpy(features.astype(np.float32)))["embedding"].numpy()
    # the graph's embedding is that of its networks one after the other; of a fusion those of one kind are kept
    np.testing.assert_allclose(found[:, : kept.shape[1]], kept, atol=1e-5 * np.abs(kept).max())
    assert kept.shape[1] in (found.shape[1], found.shape[1] // 2)


def test_act_is_shipped_with_what_full_teaching_goes_on_from():
    assert WEIGHTS / "act" in SHIPPED


def test_what_goes_on_where_that_is_not_the_whole_recognizer(tmp_path):
    assert start_sentence(WEIGHTS / "st-tr") == "Full fine-tunes only the temporal stream (T-TR) of st-tr."
    assert "the first of act's 3 averaged networks" in start_sentence(WEIGHTS / "act")
    assert start_sentence(WEIGHTS / "st-gcn") == ""
    for content in (b"", b"PK", (WEIGHTS / "act" / NETWORKS_FILE).read_bytes()[:5000]):
        (tmp_path / NETWORKS_FILE).write_bytes(content)
        assert start_sentence(tmp_path) == ""
    assert start_sentence(tmp_path / "none") == ""


def test_networks_of_another_model_damaged_or_missing_are_refused(tmp_path):
    for name in ("card.json", "model.onnx"):
        shutil.copy(WEIGHTS / "st-gcn" / name, tmp_path / name)
    shutil.copy(WEIGHTS / "act" / NETWORKS_FILE, tmp_path / NETWORKS_FILE)
    with pytest.raises(RunError, match="belongs to another model"):
        load_networks(tmp_path)
    (tmp_path / NETWORKS_FILE).write_bytes((tmp_path / NETWORKS_FILE).read_bytes()[:5000])
    with pytest.raises(RunError, match="damaged"):
        load_networks(tmp_path)
    np.savez(tmp_path / NETWORKS_FILE, about=np.array([{"a": 1}], dtype=object))
    with pytest.raises(RunError, match="cannot be used"):
        load_networks(tmp_path)
    (tmp_path / NETWORKS_FILE).unlink()
    with pytest.raises(RunError, match="choose another model"):
        load_networks(tmp_path)


def test_a_graph_network_goes_on_from_a_trained_one():
    small = {"widths": (8, 8), "strides": (1, 1)}
    start = NetworkSpec("st-gcn", 7, small)
    network = fit_network(made_examples(), FineTuneSettings(steps=2, batch=8), start=(start, start.build()))
    assert whole_example_probabilities(network, made_examples(examples=1)).shape == (3, 4)


@pytest.mark.parametrize("steps", [2, 10])
def test_any_number_of_steps_but_one_is_enough_to_run(steps):
    fit_network(made_examples(examples=1), FineTuneSettings(steps=steps, batch=2))
    with pytest.raises(ValueError, match="at least 2"):
        fit_network(made_examples(examples=1), FineTuneSettings(steps=1))


def test_batches_hold_every_action_and_the_background():
    sampler = WindowSampler([*made_examples(), made_example(NOTHING, 1, seconds=5)], FineTuneSettings(batch=200))
    features, target = sampler.sample(np.random.default_rng(0))
    assert features.shape == (200, 30, 78)
    counts = np.bincount(target, minlength=4)
    assert (counts > 25).all()


def test_the_last_person_or_session_is_held_out_or_a_part_of_the_examples():
    kept, held, how = split(made_examples(people=("Ada", "Max"), sessions=("Monday", "Monday")))
    assert how == PEOPLE
    assert ({example.person for example in kept}, {example.person for example in held}) == ({"Ada"}, {"Max"})
    kept, held, how = split(made_examples(sessions=("Monday", "Tuesday")))
    assert how == SESSIONS
    assert ({example.session for example in kept}, {example.session for example in held}) == ({"Monday"}, {"Tuesday"})
    kept, held, how = split(made_examples())
    assert how == EXAMPLES
    assert len(held) == 3
    assert {example.action for example in kept} == {"bow", "raise", "step"}


def test_the_last_group_that_may_be_missing_is_held_out():
    """Wednesday alone has a bow; and whoever is last alone does something."""
    twice = made_examples(("raise", "step"), 4, people=("Ada", "Max"), sessions=("Monday", "Tuesday"))
    alone = made_examples(("bow",), 3, people=("Zoe",), sessions=("Wednesday",))
    for examples in ([*twice, *alone], [*alone, *twice]):
        kept, held, how = split(examples)
        assert (how, {example.person for example in held}) == (PEOPLE, {"Max"})
        assert {example.action for example in kept} == {"bow", "raise", "step"}
        of_nobody = [replace(example, person=None) for example in examples]
        _, held, how = split(of_nobody)
        assert (how, {example.session for example in held}) == (SESSIONS, {"Tuesday"})
        found, _ = evaluate(Certain(), of_nobody, held, how)
        assert found.checks[0].actions["bow"].examples == 0
        told = remarks(found, of_nobody, from_scratch=False)
        assert told[0].startswith("Only one session was held out")
        assert told[1] == "Some actions have no take that was held out, so they were not checked."


def test_a_session_for_each_action_is_not_all_of_one_session():
    examples = [*made_examples(("raise",), 3), *made_examples(("bow",), 3, people=("Max",), sessions=("Tuesday",))]
    _, held, how = split(examples)
    assert how == EXAMPLES
    found, _ = evaluate(Certain(), examples, held, how)
    assert found.checks[0].verdict.startswith("not checked: no session was held out")
    sessions, people, *_ = remarks(found, examples, from_scratch=False)
    assert sessions.startswith("Every action is from one session")
    assert people.startswith("Every action is of one person alone")


def test_takes_without_a_name_are_not_a_last_person_to_hold_out():
    half = [replace(example, person=("Ada", None)[n % 2]) for n, example in enumerate(made_examples())]
    kept, held, how = split(half)
    assert (how, len(kept), len(held)) == (EXAMPLES, 9, 3)
    found, _ = evaluate(Certain(), half, held, how)
    assert remarks(found, half, from_scratch=False)[1].startswith("Some takes have no person's name")
    people = made_examples(people=("Ada", "Max"))
    _, held, how = split(people)
    found, _ = evaluate(Certain(), people, held, how)
    assert not any("name" in remark for remark in remarks(found, people, from_scratch=False))


def test_footage_of_nothing_is_on_both_sides():
    kept, held, _ = split([*made_examples(), made_example(NOTHING, 1, seconds=9)])
    (early,), (late,) = ([example for example in side if example.action == NOTHING] for side in (kept, held))
    assert early.times_s[-1] < late.times_s[0]
    assert len(early.times_s) == pytest.approx(2 * len(late.times_s), abs=2)
    _, held, _ = split([*made_examples(), *(made_example(NOTHING, n) for n in range(4))])
    assert sum(example.action == NOTHING for example in held) == 1


def test_copies_of_footage_of_nothing_are_on_one_side():
    def sides(footage):
        return [[c.name for c in side if c.action == NOTHING] for side in split([*made_examples(), *footage])[:2]]

    footage = [replace(made_example("raise", 20 + n, seconds=9), name=f"{n}", action=NOTHING) for n in range(3)]
    again = [replace(example, name=f"{example.name} again") for example in footage]
    assert sides([*footage, *again]) == [["0", "1", "0 again", "1 again"], ["2", "2 again"]]
    assert sides([footage[0], footage[1], again[0]]) == [["1", "0"], ["0"]]  # two moments: the longest is cut


class Certain(torch.nn.Module):
    """Says `raise` of everything."""

    def forward(self, features):
        return torch.tensor([[0.0, 9.0, 0.0, 0.0]]).expand(len(features), -1)


def test_the_check_counts_alarms_confusions_suspects_and_what_is_needed():
    examples = [*made_examples(examples=3), made_example(NOTHING, 1, seconds=9)]
    _, held, how = split(examples)
    found, thresholds = evaluate(Certain(), examples, held, how)
    (figures,) = found.checks
    assert figures.accuracy == pytest.approx(1 / 3)
    assert set(figures.confusions) == {("bow", "raise", 1), ("step", "raise", 1)}
    assert {suspect.action for suspect in found.suspects} == {"bow", "step"}
    assert found.alarms.shown == {"raise": 1}
    # One example of each action was judged, which says nothing of an action: five examples of each are asked for.
    assert found.needed == {"bow": 2, "raise": 2, "step": 2}
    assert thresholds.shape == (3,)
    assert evaluate(Certain(), examples[:-1], *split(examples[:-1])[1:])[1].tolist() == [0.5] * 3


def test_the_same_moment_is_counted_once():
    """Six held-out takes, each imported twice, are too few for a percentage."""
    once = made_examples(sessions=("Monday", "Tuesday"))
    examples = [*once, *(replace(example, name=f"{example.name} again") for example in once)]
    _, held, how = split(examples)
    assert (how, len(held)) == (SESSIONS, 12)
    found, _ = evaluate(Certain(), examples, held, how)
    (figures,) = found.checks
    assert (figures.examples, len(figures.mistakes)) == (6, 4)
    assert figures.verdict.startswith("too few separate takes (6)")
    assert found.needed == evaluate(Certain(), once, *split(once)[1:])[0].needed != {}
    assert set(found.copies) == {f"{example.name} again" for example in once if example.session == "Tuesday"}
    sentence = "6 of your takes overlap in time with others, so they were checked together with those."
    assert sentence in remarks(found, examples, from_scratch=False)


@pytest.mark.parametrize(
    ("examples", "held_out"),
    [
        (made_examples(people=("Ada", "Max")), "check_people: those of one person held out once"),
        (made_examples(sessions=("Monday", "Tuesday")), "check_sessions: those of one session held out once"),
        (made_examples(), "check_clips: every third of each action held out once"),
    ],
)
def test_a_card_says_what_was_held_out_and_that_thresholds_were_chosen_on_it(examples, held_out):
    where, _, what = held_out.partition(": ")
    nothing = made_example(NOTHING, 1, seconds=9)
    for footage in ((), (nothing,)):
        _, held, how = split([*examples, *footage])
        found, _ = evaluate(Certain(), [*examples, *footage], held, how)
        found = replace(found, remarks=remarks(found, examples, from_scratch=False))
        metrics = card_metrics(found, FULL)
        chosen = "; the thresholds were chosen on them" if footage else ""
        assert metrics[where]["split"] == f"the user's own examples, {what}{chosen}"
        optimistic = any("expect more mistakes and more false alarms" in told for told in metrics[where]["remarks"])
        assert optimistic == bool(footage)
    assert metrics["false_alarms"]["split"].endswith("held out once; the thresholds were chosen on that part")


@pytest.fixture
def act(tmp_path):
    """The shipped act with networks of one layer, which is exported in a third of the time."""
    folder = tmp_path / "act"
    folder.mkdir()
    for name in ("card.json", "model.onnx"):
        shutil.copy(WEIGHTS / "act" / name, folder / name)
    spec = NetworkSpec("act-micro", 20, {"layers": 1})
    save_networks(folder, [TrainedRun(spec.build(), spec, {}, ()) for _ in range(2)], averaged=3)
    return folder


def test_from_a_request_to_a_model_that_goes_on_from_another(act, tmp_path, quiet, capsys):
    """The test part of the split answers for itself, and footage of nobody is left out."""
    examples = made_examples(examples=4)
    test = tuple(example.name for example in examples if example.name.endswith("-3"))
    empty = made_example(NOTHING, 1, seconds=9)
    empty = replace(empty, confidence=np.zeros_like(empty.confidence))
    request = TeachingRequest(FULL, "gym", act, tmp_path / "models", [*examples, empty], test=test)
    write_request(request, tmp_path)
    run(tmp_path, "--steps", "3")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert {line["stage"] for line in lines[:-1]} == {"checking", "fitting", "writing"}
    last = lines[-1]
    assert last["folder"] == str(tmp_path / "models" / "gym" / "1")
    first, second = last["check"]["checks"]
    assert (first["held_out"], first["clips"], second["held_out"], second["clips"]) == ("test", 3, "clips", 3)
    assert last["check"]["left_out"] == [empty.name]
    assert any("nobody was in view" in remark for remark in last["check"]["remarks"])
    model = taught_model(tmp_path / "models" / "gym" / "1")
    assert (model.kind, model.base, set(model.actions)) == (FULL, "act", {"bow", "raise", "step"})
    assert {name for names in model.actions.values() for name in names} == {example.name for example in examples} - set(
        test
    )
    assert not any("from scratch" in line for line in model.check["remarks"])
    assert "Full fine-tunes only the first of act's 3 averaged networks." in model.check["remarks"]
    recognizer = OnnxRecognizer(model.folder, "cpu")
    assert recognizer.actions == ("bow", "raise", "step", "other")
    assert recognizer.self_test().max_error < 1e-3
    assert len(recognizer.card.training_data) > 1
    recognizer.close()


def test_a_mistake_is_the_last_line(tmp_path, quiet, capsys):
    write_request(TeachingRequest(FULL, "gym", tmp_path, tmp_path / "models", made_examples(examples=2)), tmp_path)
    with pytest.raises(TeachingError):
        run(tmp_path, "--scratch")
    assert "record 1 more" in json.loads(capsys.readouterr().out.splitlines()[-1])["error"]
    assert not (tmp_path / "models").exists()


def test_a_folder_that_cannot_be_written_is_told_before_the_work(tmp_path, quiet, capsys, monkeypatch):
    def train(*_, **__):
        raise AssertionError("minutes of training, for nothing")

    monkeypatch.setattr("recognizer.training.fine_tune.fine_tune_command.fit_network", train)
    models = tmp_path / "models"
    models.write_text("not a folder")
    write_request(TeachingRequest(FULL, "gym", tmp_path, models, made_examples(examples=3)), tmp_path)
    with pytest.raises(TeachingError):
        run(tmp_path, "--scratch")
    (line,) = capsys.readouterr().out.splitlines()
    error = json.loads(line)["error"]
    assert error.startswith("the model cannot be written (")
    assert error.endswith("); make room or choose another folder")


def test_what_a_killed_training_was_writing_hinders_no_other(tmp_path):
    left = tmp_path / "gym" / ".part-0"
    left.mkdir(parents=True)
    (left / "model.onnx").write_bytes(b"half")
    try_folder(tmp_path, "gym", ".part-0")
    assert not left.exists()
    left.mkdir(parents=True)
    (left / "model.onnx").write_bytes(b"half")
    made = place_version(tmp_path, "gym", ".part-0", lambda folder: (folder / "a").touch())
    assert [each.relative_to(tmp_path / "gym").as_posix() for each in (tmp_path / "gym").rglob("*")] == ["1", "1/a"]
    assert made == tmp_path / "gym" / "1"


def test_two_teachings_of_one_name_write_in_folders_of_their_own(tmp_path):
    first, second = (TeachingRequest("quick", "gym", tmp_path, tmp_path, []) for _ in range(2))
    assert first.part != second.part


def test_trying_a_folder_leaves_nothing_behind(tmp_path):
    try_folder(tmp_path / "new" / "models", "gym", ".part-0")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "models" / "gym" / "1").mkdir(parents=True)
    try_folder(tmp_path / "models", "gym", ".part-0")
    assert [each.name for each in (tmp_path / "models" / "gym").iterdir()] == ["1"]
