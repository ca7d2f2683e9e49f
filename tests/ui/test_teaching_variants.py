"""Generated variants in the Teach dialog: asked for, and what came of them in the report and the list of clips."""

import pytest

from app.ui.teaching.report import as_html, made_of_html

TRIED = {
    "generator": "sa-gcn <1>",
    "sha256": "ab" * 32,
    "seed": 0,
    "variants": 40,
    "held_out": "sessions",
    "clips": 34,
    "accuracy_without": 0.88,
    "accuracy_with": 0.91,
    "kept": True,
    "made": [{"name": "r1/1 (variant 1)", "action": "salute", "of": "r1/1", "synthetic": True}],
}


def test_the_report_tells_the_gain():
    said = as_html({"checks": [], "variants": TRIED})
    assert "<b>91% instead of 88%</b> of 34 held-out clips; kept" in said
    assert "40 generated variants of the clips, by sa-gcn &lt;1&gt; (synthetic)" in said
    dropped = as_html({"checks": [], "variants": {**TRIED, "accuracy_with": 0.8, "kept": False, "made": []}})
    assert "80% of 34 held-out clips, 88% without; <b>not kept</b>" in dropped
    assert "variants" not in as_html({"checks": [], "variants": None})


def test_synthetic_clips_stand_apart_in_the_list_of_clips():
    said = made_of_html({"salute": ("r1/1",)}, {"variants": TRIED})
    assert said.index("Made of these clips") < said.index("And of 1 synthetic clips")
    assert "made up by sa-gcn &lt;1&gt; (abababababab), seed 0; nothing was judged by them" in said
    assert "r1/1 (variant 1)" in said
    plain = "<p><b>Made of these clips</b></p><p><b>salute</b> (1): r1/1</p>"
    assert made_of_html({"salute": ("r1/1",)}, {"variants": {**TRIED, "made": []}}) == plain
    assert made_of_html({"salute": ("r1/1",)}, {}) == plain


@pytest.mark.parametrize("damaged", [{"variants": {"made": [1]}}, {"variants": {"made": [{}]}}, {"variants": "x"}])
def test_a_damaged_list_of_variants_hides_nothing_else(damaged):
    assert "salute" in made_of_html({"salute": ("r1/1",)}, damaged)
