"""What trainings share: Ctrl-C leaves a checkpoint to go on from, damaged ones and other jobs' folders are refused."""

import signal

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from recognizer.training.loop import LAST_CHECKPOINT, Hardware, StepData, Training, fit  # noqa: E402
from recognizer.training.run_folder import NETWORK_FILE, RunError, check_same_job, claim_folder  # noqa: E402

QUIET = Hardware(accelerator="cpu", precision="32-true", logs=False, checkpoint_steps=2)


class Line(Training):
    """One weight, which noise shakes; Ctrl-C comes before step `stop`."""

    def __init__(self, stop=-1, average=0.0):
        torch.manual_seed(0)
        super().__init__(torch.nn.Linear(1, 1), seed=0, average=average)
        self.stop, self.steps = stop, []

    def losses(self, batch):
        if self.global_step == self.stop:
            raise KeyboardInterrupt
        self.steps.append(self.global_step)
        return {"loss": (self.network(batch[0]) + torch.rand(())).square().mean()}

    def configure_optimizers(self):
        return torch.optim.SGD(self.network.parameters(), 0.1)


class Numbers:
    """Two batches an epoch, each the number of its step."""

    steps_per_epoch = 2

    def batch(self, step, mine=slice(None)):
        return (torch.full((4, 1), float(step))[mine],)


def trained(folder, training, steps=6):
    fit(training, StepData(Numbers(), steps), folder, QUIET)
    return training


def test_a_killed_training_ends_with_the_weights_of_an_unbroken_one(tmp_path):
    whole = trained(tmp_path / "whole", Line(average=0.9))
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "killed", Line(stop=4, average=0.9))
    resumed = trained(tmp_path / "killed", Line(average=0.9))
    assert resumed.steps == [4, 5]
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], value, rtol=0, atol=0, msg=name)


def test_the_last_epoch_may_be_shorter_and_no_folder_keeps_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert trained(None, Line(), steps=5).steps == [0, 1, 2, 3, 4]
    assert list(tmp_path.iterdir()) == []


def test_the_mean_forgets_the_first_steps(tmp_path):
    first, seen = Line().network.weight.item(), []

    class Watching(Line):
        def on_train_batch_end(self, *more):
            super().on_train_batch_end(*more)
            seen.append((self.network.weight.item(), self.averaged.weight.item()))

    trained(tmp_path, Watching(average=0.5))
    mean = first
    for step, (now, averaged) in enumerate(seen, 1):
        keep = min(0.5, (1 + step) / (10 + step))
        mean = keep * mean + (1 - keep) * now
        assert averaged == pytest.approx(mean, abs=1e-6)


def test_a_network_that_was_loaded_is_trained_with_its_dropout(tmp_path):
    modes = []

    class Watching(Line):
        def losses(self, batch):
            modes.append((self.network.training, self.averaged.training))
            return super().losses(batch)

    loaded = Watching(average=0.5)
    loaded.network.eval()
    trained(tmp_path, loaded)
    assert set(modes) == {(True, False)}


def test_a_lost_loss_is_one_line(tmp_path):
    class Lost(Line):
        def losses(self, batch):
            return {"loss": self.network(batch[0]).sum() * float("nan")}

    with pytest.raises(RunError, match="the loss is nan at step 0; lower the learning rate"):
        trained(tmp_path, Lost())


def test_after_ctrl_c_training_goes_on_from_the_last_checkpoint(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(KeyboardInterrupt):
            trained(tmp_path, Line(stop=4))
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert trained(tmp_path, Line()).steps == [4, 5]


def test_a_program_that_ends_itself_is_no_ctrl_c(tmp_path):
    class Ends(Line):
        def losses(self, batch):
            raise SystemExit(3)

    with pytest.raises(SystemExit):
        trained(tmp_path, Ends())


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "another network"])
def test_a_damaged_checkpoint_is_one_line(tmp_path, damage):
    trained(tmp_path, Line())
    path = tmp_path / LAST_CHECKPOINT
    content = path.read_bytes()
    training = Line()
    if damage == "another network":
        training.network = torch.nn.Linear(1, 2)
    else:
        path.write_bytes({"empty": b"", "cut": content[: len(content) // 2], "text": b"hello\n"}[damage])
    with pytest.raises(RunError, match=r"is not a checkpoint of this network \(.*\); remove") as caught:
        trained(tmp_path, training)
    assert "\n" not in str(caught.value)


def test_an_error_of_the_training_itself_is_not_blamed_on_the_checkpoint(tmp_path):
    class Fails(Line):
        def losses(self, batch):
            raise RuntimeError("out of luck")

    trained(tmp_path / "whole", Line())
    with pytest.raises(RuntimeError, match="out of luck"):
        trained(tmp_path / "fails", Fails())


def test_a_folder_belongs_to_one_job(tmp_path):
    claim_folder(tmp_path / "run", {"seed": 0})
    claim_folder(tmp_path / "run", {"seed": 0})
    check_same_job(tmp_path / "run", {"seed": 0})
    claim_folder(tmp_path / "run", {"seed": 2})  # nothing was trained in it yet
    claim_folder(tmp_path / "run", {"seed": 0})
    (tmp_path / "run" / LAST_CHECKPOINT).write_bytes(b"of the first steps")
    claim_folder(tmp_path / "run", {"seed": 0})
    with pytest.raises(RunError, match="holds another training"):
        claim_folder(tmp_path / "run", {"seed": 1})
    check_same_job(tmp_path / "none", {"seed": 1})
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("file", [LAST_CHECKPOINT, NETWORK_FILE])
def test_a_training_of_which_nobody_knows_whose_it_is_is_left_alone(tmp_path, file):
    (tmp_path / file).write_bytes(b"of an earlier version")
    with pytest.raises(RunError, match="holds another training"):
        claim_folder(tmp_path, {"seed": 0})
    assert [path.name for path in tmp_path.iterdir()] == [file]


@pytest.mark.parametrize(
    ("hardware", "batch", "fits"),
    [
        (Hardware(), 7, True),
        (Hardware(devices="2"), 8, True),
        (Hardware(devices="2"), 7, False),
        (Hardware(devices="2", num_nodes=2), 6, False),
        (Hardware(devices="auto", accelerator="cpu"), 7, True),
        (Hardware(devices="auto"), 6, True),
        (Hardware(devices="auto"), 7, False),
        (Hardware(devices="-1"), 7, False),
        (Hardware(devices="0,1"), 7, False),
        (Hardware(devices="0,1"), 8, True),
        (Hardware(devices="1,"), 7, True),
    ],
)
def test_a_batch_is_shared_evenly_or_not_at_all(hardware, batch, fits, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    reason = hardware.fits(batch)
    assert (reason is None) is fits
    assert fits or f"{batch} clips" in reason


@pytest.mark.parametrize("devices", ["", "0", "two", "0,x", "-3"])
def test_devices_that_nobody_can_count_are_refused(devices):
    assert "is neither a number of devices" in Hardware(devices=devices).fits(8)


@pytest.mark.parametrize("how", [{"accelerator": "abacus"}, {"devices": "0,1"}, {"precision": "8-exact"}])
def test_what_lightning_refuses_is_one_line(tmp_path, how):
    with pytest.raises(RunError, match="Lightning cannot train with accelerator"):
        fit(Line(), StepData(Numbers(), 6), tmp_path, Hardware(**{"accelerator": "cpu", **how}))
