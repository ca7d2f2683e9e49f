"""Training: a killed run ends where an unbroken one does, and it learns."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from recognizer.features import CHANNELS, LAYOUT  # noqa: E402
from recognizer.training import supervised as fit_module  # noqa: E402
from recognizer.training.everyday import ACTIONS, merge, read_all  # noqa: E402
from recognizer.training.loop import LAST_CHECKPOINT  # noqa: E402
from recognizer.training.run_folder import RunError  # noqa: E402
from recognizer.training.supervised import (  # noqa: E402
    FitSettings,
    distillation_loss,
    fit,
    loss_of,
    merge_outputs,
)

STEPS = 6


@pytest.fixture(scope="module")
def corpus(tiny_data):
    return merge(read_all(tiny_data))


ONE_LAYER = {"layers": 1}
SMALL = {"widths": [8, 8], "strides": [1, 1], "kernel": 3}


@pytest.fixture(params=["act-micro", "st-gcn"])
def settings(monkeypatch, request):
    monkeypatch.setattr(fit_module, "STEPS_AN_EPOCH", 2)
    monkeypatch.setattr(fit_module.LabelledBatches, "steps_per_epoch", 2)
    changes = SMALL if request.param == "st-gcn" else ONE_LAYER
    return FitSettings(steps=STEPS, batch=16, network=request.param, changes=changes)


class Killed(Exception):
    """Stands for the end of the process."""


def test_a_killed_run_resumes_to_the_same_network(corpus, settings, tmp_path, monkeypatch):
    whole = fit(corpus, settings, tmp_path / "whole")
    batch = fit_module.BatchMaker.batch

    def killing(self, rng, size):
        if (tmp_path / "killed" / LAST_CHECKPOINT).is_file() and size > 8:
            raise Killed
        return batch(self, rng, size)

    with monkeypatch.context() as patch:
        patch.setattr(fit_module.BatchMaker, "batch", killing)
        with pytest.raises(Killed):
            fit(corpus, settings, tmp_path / "killed")
    assert (tmp_path / "killed" / LAST_CHECKPOINT).is_file()
    resumed = fit(corpus, settings, tmp_path / "killed")
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], value, rtol=0, atol=0, msg=name)


def test_seeds_differ_and_a_finished_run_stays_as_it_is(corpus, settings, tmp_path):
    first = fit(corpus, settings, tmp_path / "a")
    again = fit(corpus, settings, tmp_path / "a")
    shutil.rmtree(tmp_path / "a")
    other = fit(corpus, replace(settings, seed=1), tmp_path / "a")
    for one, same, another in zip(first.parameters(), again.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one, same, rtol=0, atol=0)
        if one.ndim > 1 and one.std() > 0:
            assert (one - another).abs().max() > 1e-3


def test_a_folder_goes_on_with_nothing_but_the_same_settings_data_and_networks(corpus, tmp_path):
    settings = FitSettings(steps=1, batch=16, changes=ONE_LAYER, generated=False)
    fit(corpus, settings, tmp_path)
    before = (tmp_path / LAST_CHECKPOINT).read_bytes()
    outputs = len(fit_module.OutputSpace(corpus))
    start = fit_module.spec_of(settings, outputs).build()
    changed = replace(corpus, joints=corpus.joints + 1)
    others = [
        *((corpus, replace(settings, **{name: value})) for name, value in (("seed", 1), ("steps", 4))),
        (corpus, replace(settings, left_out=(corpus.kinds[-1],))),
        (changed, settings),
        (corpus, settings, [Stubborn(outputs)]),
        (corpus, settings, (), start),
    ]
    for data, how, *networks in others:
        with pytest.raises(RunError, match="holds another training"):
            fit(data, how, tmp_path, *networks)
    assert (tmp_path / LAST_CHECKPOINT).read_bytes() == before
    fit(corpus, settings, tmp_path)


def test_a_folder_goes_on_when_a_teacher_or_a_start_was_renamed(corpus, tmp_path):
    settings = FitSettings(steps=1, batch=16, changes=ONE_LAYER, generated=False, teachers=("a",), start="b")
    outputs = len(fit_module.OutputSpace(corpus))
    others = [Stubborn(outputs)], fit_module.spec_of(settings, outputs).build()
    fit(corpus, settings, tmp_path, *others)
    fit(corpus, replace(settings, teachers=("c",), start="d"), tmp_path, *others)


def test_outputs_after_the_listed_add_up_to_other():
    logits = torch.randn(4, len(ACTIONS) + 6)
    merged = merge_outputs(logits).softmax(dim=1)
    whole = logits.softmax(dim=1)
    torch.testing.assert_close(merged[:, :-1], whole[:, : len(ACTIONS) - 1])
    torch.testing.assert_close(merged[:, -1], whole[:, len(ACTIONS) - 1 :].sum(dim=1))


def test_the_merged_loss_forgives_the_wrong_kind_of_other():
    listed, outputs = len(ACTIONS) - 1, len(ACTIONS) + 2
    target = torch.from_numpy(np.eye(outputs, dtype=np.float32)[[listed]])
    wrong_kind = torch.zeros(1, outputs)
    wrong_kind[0, listed + 1] = 20
    assert loss_of(wrong_kind, target, 0.0, 1.0) < 0.01
    assert loss_of(wrong_kind, target, 0.0, 0.0) > 10


def test_the_distillation_loss_is_the_divergence_from_the_teachers_mean():
    logits, other = torch.randn(8, 5), torch.randn(8, 5)
    same = distillation_loss(logits, [logits, logits + 3], 2.0)  # a constant changes no probability
    assert same.abs() < 1e-5
    mean = (logits.div(2).softmax(1) + other.div(2).softmax(1)) / 2
    student = torch.zeros(8, 5)
    expected = 4 * (mean * (mean / 0.2).log()).sum(dim=1).mean()
    torch.testing.assert_close(distillation_loss(student, [logits, other], 2.0), expected)


class Stubborn(torch.nn.Module):
    """Says the second output to everything."""

    def __init__(self, outputs):
        super().__init__()
        self.said = torch.nn.Parameter(torch.eye(outputs)[1] * 8)

    def forward(self, features):
        return self.said.expand(len(features), -1)


def test_a_student_follows_its_teacher_against_the_labels_and_keeps_it_out_of_the_checkpoint(corpus, tmp_path):
    outputs = len(fit_module.OutputSpace(corpus))
    settings = FitSettings(steps=30, batch=16, changes=ONE_LAYER, distillation=1.0, average=0.5)
    student = fit(corpus, settings, tmp_path / "student", [Stubborn(outputs)])
    alone = fit(corpus, settings, tmp_path / "alone")
    features = torch.randn(4, 30, len(CHANNELS) * len(LAYOUT))
    with torch.no_grad():
        assert student(features).softmax(1)[:, 1].min() > 0.8
        assert alone(features).softmax(1)[:, 1].max() < 0.5
    saved = torch.load(tmp_path / "student" / LAST_CHECKPOINT, weights_only=False)["state_dict"]
    assert saved
    assert not any("said" in name for name in saved)


def test_a_training_begins_with_the_body_of_another_network(corpus, settings):
    settings = replace(settings, seed=1)
    other = fit_module.spec_of(replace(settings, seed=0), 7).build()
    begun = fit_module.SupervisedTraining(settings, 12, start=other).network
    fresh = fit_module.SupervisedTraining(settings, 12).network
    body = [name for name in begun.state_dict() if "head" not in name.split(".")]
    for name in body:
        torch.testing.assert_close(begun.state_dict()[name], other.state_dict()[name], rtol=0, atol=0)
    assert any(not torch.equal(begun.state_dict()[name], fresh.state_dict()[name]) for name in body)
