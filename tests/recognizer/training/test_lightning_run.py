"""What trainings share: Ctrl-C leaves a checkpoint to go on from, damaged ones and other jobs' folders are refused."""

import signal

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

import lightning  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from recognizer.training.lightning_run import (  # noqa: E402
    LAST_CHECKPOINT,
    Hardware,
    claim,
    demand_same,
    fit_on,
    trainer_of,
)
from recognizer.training.run_folder import RunError  # noqa: E402

QUIET = Hardware(accelerator="cpu", precision="32-true", logs=False, checkpoint_steps=2)


class Line(lightning.LightningModule):
    """One weight; Ctrl-C comes before step `stop`."""

    def __init__(self, stop=-1):
        super().__init__()
        self.layer, self.stop, self.steps = torch.nn.Linear(1, 1), stop, []

    def training_step(self, batch, batch_idx):
        if self.global_step == self.stop:
            raise KeyboardInterrupt
        self.steps.append(self.global_step)
        return self.layer(batch[0]).square().mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


class Ones(lightning.LightningDataModule):
    """Two batches an epoch."""

    def train_dataloader(self):
        return DataLoader(TensorDataset(torch.ones(8, 1)), batch_size=4)


def trained(folder, training):
    fit_on(trainer_of(folder, QUIET, 2, max_steps=6, max_epochs=-1), training, Ones(), folder)
    return training


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
        def training_step(self, batch, batch_idx):
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
        training.layer = torch.nn.Linear(1, 2)
    else:
        path.write_bytes({"empty": b"", "cut": content[: len(content) // 2], "text": b"hello\n"}[damage])
    with pytest.raises(RunError, match=r"is not a checkpoint of this network \(.*\); remove") as caught:
        trained(tmp_path, training)
    assert "\n" not in str(caught.value)


def test_an_error_of_the_training_itself_is_not_blamed_on_the_checkpoint(tmp_path):
    class Fails(Line):
        def training_step(self, batch, batch_idx):
            raise RuntimeError("out of luck")

    trained(tmp_path / "whole", Line())
    with pytest.raises(RuntimeError, match="out of luck"):
        trained(tmp_path / "fails", Fails())


def test_a_folder_belongs_to_one_job(tmp_path):
    claim(tmp_path / "run", {"seed": 0})
    claim(tmp_path / "run", {"seed": 0})
    demand_same(tmp_path / "run", {"seed": 0})
    with pytest.raises(RunError, match="holds another training"):
        claim(tmp_path / "run", {"seed": 1})
    demand_same(tmp_path / "none", {"seed": 1})
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("hardware", "batch", "fits"),
    [
        (Hardware(), 7, True),
        (Hardware(devices="2"), 8, True),
        (Hardware(devices="2"), 7, False),
        (Hardware(devices="2", num_nodes=2), 6, False),
        (Hardware(devices="auto"), 7, True),
    ],
)
def test_a_batch_is_shared_evenly_or_not_at_all(hardware, batch, fits):
    reason = hardware.fits(batch)
    assert (reason is None) is fits
    assert fits or f"{batch} clips" in reason
