"""The examples of CONTRIBUTING.md do what it says: each is built in memory, as the files and changes that it names."""

import importlib
import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from library_fakes import add_recording
from window_fakes import Engines, result

from app.errors import OutputError
from app.library.catalogue import Library
from app.library.import_data import import_sequences
from app.settings import RunOptions, UserSettings
from pose.skeleton import COCO_17
from pose.types import Frame

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"```python\n# (\S+?\.py)(?:, in place of: ([^\n]*))?\n(.*?)```", re.DOTALL)
EXAMPLES = {part.partition("\n")[0]: _BLOCK.findall(part) for part in TEXT.split("\n## ")[1:]}


@pytest.fixture
def followed(monkeypatch):
    """followed(TITLE) does what an example says; the modules that it makes and changes, by the name of the file."""

    def load(path, source):
        name = path.removesuffix(".py").replace("/", ".")
        package, _, last = name.rpartition(".")
        module = types.ModuleType(name)
        module.__file__ = str(ROOT / path)
        parent = importlib.import_module(package)
        monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.setattr(parent, last, module, raising=False)
        exec(compile(source, path, "exec"), vars(module))
        return module

    def follow(title):
        sources = {}
        for path, place, code in EXAMPLES[title]:
            if place:
                there = sources.get(path) or (ROOT / path).read_text(encoding="utf-8")
                assert there.count(place) == 1, f"{path} has no such text, or has it twice: {place}"
                sources[path] = there.replace(place, code.rstrip("\n"))
            else:
                assert not (ROOT / path).exists()
                sources[path] = code
        return {Path(path).stem: load(path, source) for path, source in sources.items()}

    return follow


def test_every_example_is_followed_by_a_test_here():
    titles = ["A reader of a data set", "A network", "An estimator", "A panel", "An export format"]
    assert list(EXAMPLES) == titles
    assert sum(len(blocks) for blocks in EXAMPLES.values()) == TEXT.count("```python")
    assert all(blocks for blocks in EXAMPLES.values())


def test_a_reader(followed, tmp_path):
    folder = tmp_path / "my set"
    folder.mkdir()
    xy = np.random.default_rng(0).uniform(0, 400, (40, 17, 2))
    np.savez(folder / "wave-1.npz", xy=xy, confidence=np.ones((40, 17)))
    registry = followed("A reader of a data set")["registry"]
    assert registry.dataset_in(folder).name == "my_set"
    with Library(tmp_path / "library") as library:
        report = import_sequences(library, registry.DATASETS["my_set"].read(folder), "my_set")
        assert (len(report.recordings), report.problems) == (1, [])
        (segment,) = library.segments()
        assert segment.action == "wave"
        recording = library.open_recording(segment.recording)
    assert recording.layout == COCO_17
    np.testing.assert_allclose(recording.xy_px - recording.xy_px[0, 0], xy - xy[0, 0], atol=0.1)


def test_a_network(followed):
    torch = pytest.importorskip("torch", reason="needs the extra `train`")
    networks = followed("A network")["registry"]
    features = torch.randn(2, 30, 78)
    spec = networks.NetworkSpec("mean-pose", 5, {"dropout": 0.1})
    assert spec.family == "mean-pose"
    network = spec.build().eval()
    torch.testing.assert_close(network(features), network(features.flip(1)))
    assert network(features).shape == (2, 5)


def test_an_estimator(followed):
    estimators = followed("An estimator")["estimators"]
    assert estimators.choose("centre", 1) == "centre"
    spec = estimators.EstimatorSpec("centre", Path())
    (pose,) = estimators.open_estimator(spec).estimate(Frame(np.zeros((40, 60, 3), np.uint8), 0.5, 0.0, 0))
    assert pose.layout is spec.layout is COCO_17
    assert (pose.xy_px == (30, 20)).all()
    assert estimators.find_model("centre", None) == Path()


def test_a_panel(followed, qtbot, qapp):
    from app.ui.theme import Theme

    engines = Engines()
    main_window = followed("A panel")["main_window"]
    window = main_window.MainWindow(engines, RunOptions(), UserSettings(), Theme(qapp, "dark"), list)
    qtbot.addWidget(window)
    qtbot.waitUntil(lambda: bool(engines.made), timeout=60_000)
    engines.last.run()
    engines.last.give(result(1.0, persons=((0, "walk"), (1, "wave"))))
    qtbot.waitUntil(lambda: window.people.text() == "2 people", timeout=60_000)
    window.close()


def test_an_export_format(followed, tmp_path):
    export_formats = followed("An export format")["export_formats"]
    lengths = export_formats.FORMATS["lengths"]
    with Library(tmp_path / "library") as library:
        recording = add_recording(library)
        rows = library.recordings()
        file = tmp_path / "lengths.csv"
        assert lengths.write(export_formats.Export(library, file, [], rows)) == "1 recording"
        assert file.read_text() == f"{recording},{rows[0].duration_s:.2f}\n"
        with pytest.raises(OutputError, match="choose another place"):
            lengths.write(export_formats.Export(library, tmp_path / "no" / "a.csv", [], rows))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lengths.csv", "library"]
