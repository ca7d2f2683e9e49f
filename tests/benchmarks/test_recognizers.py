"""The command speed on tiny networks; what it says, never how long it took."""

import argparse
import json

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from benchmarks import providers  # noqa: E402
from benchmarks import recognizers as speed  # noqa: E402
from pose.errors import ActionLensError  # noqa: E402
from recognizer.onnx_recognizer import OnnxRecognizer  # noqa: E402
from recognizer.training.models.registry import NetworkSpec  # noqa: E402
from recognizer.training.run_folder import save_run  # noqa: E402

TINY = ["--set", "layers=2", "--rounds", "1", "--people", "1", "3", "--on-threads", "1", "2"]
PAGE = "# Speed\n\n<!-- measured -->\nold\n<!-- end of measured -->\n\nMore.\n"


def call(*arguments) -> None:
    parser = argparse.ArgumentParser()
    speed.add_arguments(parser)
    speed.run(parser.parse_args([str(argument) for argument in arguments]))


def rows_of(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| act")]


def test_a_row_for_each_network_thread_count_and_number_of_people(tmp_path, capsys):
    threads = torch.get_num_threads()
    report, page = tmp_path / "speed.json", tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    call(*TINY, "--network", "act-micro", "act-small", "--json", report, "--page", page)
    printed = capsys.readouterr().out
    names = ("act-micro", "act-small")
    wanted = [[name, str(t), str(people)] for name in names for t in (1, 2) for people in (1, 3)]
    assert [row[:3] for row in rows_of(printed)] == wanted
    assert page.read_text(encoding="utf-8") == PAGE.replace("old\n", printed)
    written = json.loads(report.read_text(encoding="utf-8"))
    assert [[row["network"], str(row["threads"]), str(row["people"])] for row in written["rows"]] == wanted
    assert all(row["error"] < 1e-4 for row in written["rows"])
    assert [rate["threads"] for rate in written["gflop_per_s"]] == [1, 2]
    assert torch.get_num_threads() == threads


def test_the_answers_are_really_compared(monkeypatch):
    real = speed.fast_graph
    monkeypatch.setattr(speed, "fast_graph", lambda network, *rest: real(_Louder(network), *rest))
    cases = [speed.live("act-micro", {"layers": 1})]
    (row,) = speed.measure(cases, [1], [2], rounds=1)["rows"]
    assert row["error"] == pytest.approx(0.5, abs=0.01)


class _Louder(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, features):
        return 1.5 * self.network(features)


def test_work_is_counted_for_each_clip():
    one, four = (row["gflop"] for row in speed.measure([speed.live("act-micro", {})], [1], [1, 4], rounds=1)["rows"])
    width, frames, tokens, features, hidden = 64, 30, 31, 78, 256
    layers = 4 * tokens * 12 * width**2  # queries, keys, values, output; two of the feed-forward, four times as wide
    scores = 4 * 2 * tokens**2 * width
    head = hidden * (width + speed.OUTPUTS)
    assert one * 1e9 == pytest.approx(2 * (frames * features * width + layers + scores + head))
    assert four == pytest.approx(4 * one)


@pytest.mark.parametrize(
    ("name", "clip"),
    [("act-small", (30, 52)), ("st-gcn", (3, 300, 25, 2)), ("t-tr", (3, 300, 25, 2)), ("st-tr", (3, 300, 25, 2))],
)
def test_published_sizes(name, clip):
    case = speed.official(name, {})
    assert case.clip == clip
    shown = clip if name.startswith("act") else (3, 16, 25, 2)
    with torch.inference_mode():
        assert case.network(torch.zeros(1, *shown)).shape == (1, 20 if name.startswith("act") else 60)


def test_a_trained_run(tmp_path, capsys):
    spec = NetworkSpec("act-micro", 4, {"layers": 1})
    (tmp_path / "mine").mkdir()
    save_run(tmp_path / "mine", spec.build(), spec, {}, tuple("abcd"))
    call("--run", tmp_path / "mine", "--rounds", 1, "--people", 1, "--on-threads", 1)
    assert "| mine | 1 | 1 |" in capsys.readouterr().out


def test_attention_is_timed_on_a_model_folder(capsys, monkeypatch):
    asked = []
    real = OnnxRecognizer.predict

    def predict(self, clips, *, attention=False):
        asked.append((len(clips), attention))
        found = real(self, clips, attention=attention)
        assert bool(found[0].attention) == attention
        return found

    monkeypatch.setattr(OnnxRecognizer, "predict", predict)
    call("--attention", "act", "--people", 1, 2, "--rounds", 2)
    rows = rows_of(capsys.readouterr().out)
    assert [row[:2] for row in rows] == [["act", "1"], ["act", "2"]]
    assert asked == [(people, on) for people in (1, 2) for _ in range(7) for on in (False, True)]


def test_what_is_wrong_is_told_before_anything_is_timed(tmp_path, monkeypatch):
    monkeypatch.setattr(speed, "measure", lambda *_: pytest.fail("it began to measure"))
    page = tmp_path / "page.md"
    page.write_text("# no marks\n", encoding="utf-8")
    for arguments in (
        ["--page", page],
        ["--page", tmp_path / "absent.md"],
        ["--network", "act-micro", "--set", "nothing=1"],
        ["--official", "--network", "act-micro", "--set", "nothing=1"],
        ["--run", tmp_path / "absent"],
    ):
        with pytest.raises(ActionLensError) as told:
            call(*arguments)
        assert "\n" not in str(told.value)
    for arguments in (
        ["--rounds", "0"],
        ["--people", "two"],
        ["--network", "unheard-of"],
        ["--json", tmp_path / "absent" / "x.json"],
        ["--json", tmp_path],
    ):
        with pytest.raises(SystemExit) as left:
            call(*arguments)
        assert left.value.code == 2


def provider_rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| act")]


def tiny_case():
    case = speed.live("act-micro", {"layers": 1})
    return case.name, case.network, case.clip


def test_a_provider_is_verified_and_says_what_it_could_not_do():
    report = providers.measure_providers([tiny_case()], "auto", [1, 3], rounds=1, compiled=False)
    text = providers.as_text(report)
    rows = provider_rows(text)
    assert [row[:2] for row in rows] == [["act-micro", "1"], ["act-micro", "3"]]
    for row in rows:
        eager, compiled, plain, bound, graph = row[2:7]
        assert compiled == "-"
        assert min(float(eager), float(plain), float(bound)) > 0
        assert (graph == "-") == ("no CUDA graph" in text)
    assert report.provider in ("cpu", "cuda")
    assert f"Provider {report.provider}, verified" in text
    assert "PyTorch eager's: all." in text


def test_answers_that_differ_are_marked(monkeypatch):
    real = providers.fast_graph
    monkeypatch.setattr(providers, "fast_graph", lambda network, *rest: real(_Louder(network), *rest))
    report = providers.measure_providers([tiny_case()], "cpu", [2], rounds=1, compiled=False)
    assert report.rows[0].error == pytest.approx(0.5, abs=0.01)
    text = providers.as_text(report)
    assert "5e-01 (differs)" in text
    assert "PyTorch eager's: not all." in text


def test_a_network_that_cannot_be_compiled_costs_its_column_alone(monkeypatch):
    def refuse(network, **options):
        def call(x):
            raise RuntimeError("no compiler\nwith a trace")

        return call

    monkeypatch.setattr(torch, "compile", refuse)
    report = providers.measure_providers([tiny_case()], "cpu", [1], rounds=1)
    assert report.rows[0].times_ms["compiled"] is None
    assert "- no torch.compile: no compiler\n" in providers.as_text(report)


def test_a_provider_that_is_not_there_is_one_line(capsys):
    assert speed.main(["--provider", "cdua"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "unknown provider 'cdua'" in error
