"""Graphs: the adjacency matrices of the official codes, and what the strategies promise."""

from pathlib import Path

import numpy as np
import pytest

from pose.skeleton import COCO_17, LAYOUTS, MPOSE_13, NTU_25, OPENPOSE_18, Layout

pytest.importorskip("torch", reason="needs the extra `train`")
from recognizer.training.models.graph import OPERATORS, PARTITIONS, Graph, layout_of

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


def test_distances_to_the_centre_are_cut_at_one_bone():
    """Numbers of links in each subset as counted in the official code."""
    assert links(Graph(OPENPOSE_18)) == [18, 25, 9]
    assert links(Graph(NTU_25)) == [25, 40, 8]


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=str)
@pytest.mark.parametrize("strategy", [*PARTITIONS, *OPERATORS])
def test_any_layout_has_a_graph_that_a_mirror_does_not_change(layout, strategy):
    to_centre = Graph(layout).distances[layout.index(layout.centre)]
    adjacency = Graph(layout, strategy, centre_distances=tuple(to_centre)).adjacency
    assert adjacency.shape[1:] == (len(layout), len(layout))
    assert np.isfinite(adjacency).all()
    mirror = layout.mirrored
    np.testing.assert_allclose(adjacency[:, mirror][:, :, mirror], adjacency, atol=1e-6)


@pytest.mark.parametrize("strategy", ["uniform", "distance", "spatial"])
def test_subsets_of_st_gcn_are_slices_of_one_normalised_matrix(strategy):
    whole = Graph(MPOSE_13, strategy, max_hop=2).adjacency.sum(axis=0)
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


CHAIN = Layout("chain", ("a", "b", "c"), (("a", "b"), ("b", "c")), "b")  # a - b - c, b is the centre


def test_eq_10_normalises_each_subset_by_itself():
    """By hand: L_i = (joints that i gathers from) + 0.001, and each link v -> w is (L_v L_w) ** -0.5."""
    own, one = 1 / 1.001, (1.001 * 0.001) ** -0.5
    both = (0.001 * 2.001) ** -0.5
    found = Graph(CHAIN, normalise="subset").adjacency
    expected = np.zeros((3, 3, 3))
    expected[0] = np.eye(3) * own
    expected[1][0, 1] = expected[1][2, 1] = both  # from further out: b gathers from two, a and c from none
    expected[2][1, 0] = expected[2][1, 2] = one  # from nearer: a and c gather from one, b from none
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    whole = Graph(CHAIN, "uniform", normalise="subset").adjacency[0]
    np.testing.assert_allclose(whole[0, 1], (2.001 * 3.001) ** -0.5, rtol=1e-6)


def test_mean_distances_part_a_joint_from_what_is_nearer_and_further():
    found = Graph(CHAIN, "mean-distance", centre_distances=(0.5, 0.2, 0.5)).adjacency
    half, third = 1 / 2, 1 / 3  # a and c gather from two, b from three
    np.testing.assert_allclose(found[0], np.diag([half, third, half]), rtol=1e-6)
    np.testing.assert_allclose(found[1], [[0, 0, 0], [half, 0, half], [0, 0, 0]], rtol=1e-6)  # b is the nearest
    np.testing.assert_allclose(found[2], [[0, third, 0], [0, 0, 0], [0, third, 0]], rtol=1e-6)
    alike = Graph(CHAIN, "mean-distance", centre_distances=(0.5, 0.5, 0.5)).adjacency
    assert (alike[0] > 0).sum() == 7
    assert not alike[1:].any()


def test_opposed_subsets_differ_by_their_sign_alone():
    half, third = 1 / 2, 1 / 3
    expected = [[half, -third, 0], [-half, third, -half], [0, -third, half]]
    np.testing.assert_allclose(Graph(CHAIN, "opposed").adjacency[0], expected, rtol=1e-6)


def test_options_that_do_not_go_together_are_refused():
    with pytest.raises(ValueError, match="training clips"):
        Graph(CHAIN, "mean-distance", centre_distances=(1.0,))
    with pytest.raises(ValueError, match="normalisation of its own"):
        Graph(CHAIN, "directed", normalise="subset")
    with pytest.raises(ValueError, match="whole or subset, got 'rows'"):
        Graph(CHAIN, normalise="rows")
