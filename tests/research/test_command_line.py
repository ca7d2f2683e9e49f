"""python -m research: what its commands say of arguments that cannot be."""

import pytest

pytest.importorskip("torch", reason="needs the extra `train`")

from research.command_line import main


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("train-clips --task penn --out o --epochs 0", "--epochs: 0 is not above 0"),
        ("train-clips --task penn --out o --batch 0", "--batch: 0 is not above 0"),
        ("train-clips --task penn --out o --frames 0", "--frames: 0 is not above 0"),
        ("benchmark mpose --data d --folds 0", "--folds: 0 is not above 0"),
        ("import-official m.pt --system act --config c --weights w --frames 0", "--frames: 0 is not above 0"),
        ("pretrain run --data d --out o --frames 0", "--frames: 0 is not above 0"),
        ("pretrain run --data d --out o --evaluate-every 0", "--evaluate-every: 0 is not above 0"),
        ("pretrain run --data d --out o --intervals 0", "--intervals: 0 is not above 0"),
        ("pretrain evaluate --data d --runs r --linear-epochs 0", "--linear-epochs: 0 is not above 0"),
        ("pretrain evaluate --data d --runs r --epochs 0", "--epochs: 0 is not above 0"),
        ("pretrain evaluate --data d --runs r --corrupted 0", "--corrupted: 0 is not above 0"),
        ("pretrain evaluate --data d --runs r --shares 0", "--shares: 0 is not a number above 0"),
        ("pretrain speed --data d --steps 0", "--steps: 0 is not above 0"),
        ("label-efficiency --data d --supervised-steps 0", "--supervised-steps: 0 is not above 0"),
        ("label-efficiency --data d --shares nan", "--shares: nan is not a number above 0"),
        ("few-shot --data d --shots 0", "--shots: 0 is not above 0"),
        ("generator few-shot --data d --generator g --out o --shots 0", "--shots: 0 is not above 0"),
        ("generator cost --frames 0", "--frames: 0 is not above 0"),
        ("generator cost --clips 0", "--clips: 0 is not above 0"),
        ("generator cost --repeats 0", "--repeats: 0 is not above 0"),
        ("generator mixtures --data d --out o --clips 0", "--clips: 0 is not above 0"),
        ("generator trajectories --out o --clips 0", "--clips: 0 is not above 0"),
        ("deletion --data d --clips 0", "--clips: 0 is not above 0"),
        ("dropped-frames --run r --out o --data d --clips 0", "--clips: 0 is not above 0"),
        ("streaming cost --rounds 0", "--rounds: 0 is not above 0"),
        ("streaming cost --poses 0", "--poses: 0 is not above 0"),
        ("streaming compare --data d --pooled 0", "--pooled: 0 is not above 0"),
        ("streaming compare --data d --share nan", "--share: nan is not a number above 0"),
        ("streaming compare --data d --share 2", "--share: 2 is above 1"),
    ],
)
def test_numbers_that_cannot_be_are_told_before_anything_is_read(
    command: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(command.split())
    assert ended.value.code == 2
    line = capsys.readouterr().err
    assert f"argument {told}" in line
    assert line.count("\n") == 1
    assert "--help` lists the options" in line


def test_a_wrong_weight_is_named_and_not_taken_for_a_secret(tmp_path, capsys):
    for weight in ("-1", "x", "0"):
        networks = f"act-micro@{weight},dd-net@1"
        out = ("--runs", str(tmp_path / "runs"), "--results", str(tmp_path / "results"))
        assert (
            main(["benchmark", "run", "--data", str(tmp_path), "--tasks", "utd-mhad", "--networks", networks, *out])
            == 2
        )
        assert capsys.readouterr().err.startswith(f"{weight!r} is not a weight above 0")
