"""Graphs: the adjacency matrices of the official codes, and what the strategies promise."""

from pathlib import Path

import numpy as np
import pytest

from pose.skeleton import COCO_17, LAYOUTS, MPOSE_13, NTU_25, OPENPOSE_18

pytest.importorskip("torch", reason="needs the extra `train`")
from recognizer.training.models.graph import STRATEGIES, Graph, layout_of

PARITY = Path(__file__).resolve().parents[5] / "shared" / "parity"
OFFICIAL = {"openpose": OPENPOSE_18, "openpose18": OPENPOSE_18, "ntu-rgb+d": NTU_25, "ntu25": NTU_25, "coco": COCO_17}


def reference(name):
    if not (PARITY / name).is_file():
        pytest.skip("the reference matrices are not there")
    with np.load(PARITY / name) as file:
        return dict(file)


def test_matrices_are_those_of_the_official_st_gcn():
    for name, expected in reference("stgcn_adjacency.npz").items():
        layout, strategy, hops = name.split("__")
        found = Graph(OFFICIAL[layout], strategy, max_hop=int(hops[-1])).adjacency
        np.testing.assert_allclose(found, expected, atol=1e-6, err_msg=name)


def test_matrices_are_those_of_the_official_st_tr():
    for name, expected in reference("sttr_adjacency.npz").items():
        np.testing.assert_allclose(Graph(OFFICIAL[name], "directed").adjacency, expected, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("layout", ["coco", "openpose"])
def test_matrices_are_those_of_pyskl(layout):
    expected = reference("pyskl_adjacency.npz")
    np.testing.assert_allclose(Graph(OFFICIAL[layout]).adjacency, expected[f"{layout}__stgcn_spatial"], atol=1e-6)
    np.testing.assert_allclose(Graph(OFFICIAL[layout], "directed").adjacency, expected[f"{layout}__spatial"], atol=1e-6)


def links(graph) -> list[int]:
    return (graph.adjacency != 0).sum(axis=(1, 2)).tolist()


def test_distances_to_the_centre_are_cut_at_one_bone_unless_true_ones_are_asked_for():
    """Numbers of links in each subset as counted in the official code, and those of a true split."""
    assert links(Graph(OPENPOSE_18)) == [18, 25, 9]
    assert links(Graph(OPENPOSE_18, true_distances=True)) == [18, 17, 17]
    assert links(Graph(NTU_25)) == [25, 40, 8]
    assert links(Graph(NTU_25, true_distances=True)) == [25, 24, 24]


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=str)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_any_layout_has_a_graph_that_a_mirror_does_not_change(layout, strategy):
    adjacency = Graph(layout, strategy).adjacency
    assert adjacency.shape[1:] == (len(layout), len(layout))
    assert np.isfinite(adjacency).all()
    mirror = layout.mirrored
    np.testing.assert_allclose(adjacency[:, mirror][:, :, mirror], adjacency, atol=1e-6)


@pytest.mark.parametrize("strategy", ["uniform", "distance", "spatial"])
@pytest.mark.parametrize("true_distances", [False, True])
def test_subsets_of_st_gcn_are_slices_of_one_normalised_matrix(strategy, true_distances):
    whole = Graph(MPOSE_13, strategy, max_hop=2, true_distances=true_distances).adjacency.sum(axis=0)
    np.testing.assert_allclose(whole, Graph(MPOSE_13, "uniform", max_hop=2).adjacency[0], atol=1e-6)
    np.testing.assert_allclose(whole.sum(axis=0), 1, atol=1e-6)


def test_distances_count_bones():
    distances = Graph(OPENPOSE_18).distances
    wrists = OPENPOSE_18.index("left_wrist"), OPENPOSE_18.index("right_wrist")
    assert distances[wrists] == 6
    assert distances.diagonal().sum() == 0


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="unknown graph strategy 'sideways'"):
        Graph(MPOSE_13, "sideways")
    with pytest.raises(ValueError, match="unknown joint layout 'octopus'"):
        layout_of("octopus")
