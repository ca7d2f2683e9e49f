"""The skeleton as a graph: adjacency matrices of the partition strategies of ST-GCN and ST-TR.

K subsets, V joints. An adjacency A (K, V, V) is used as out[w] = sum over v of x[v] A[k, v, w].
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pose.skeleton import LAYOUTS, Layout

Matrix = NDArray[np.float64]


def layout_of(joints: Layout | str) -> Layout:
    """A layout given by itself or by its name in pose.skeleton.LAYOUTS; ValueError for an unknown name."""
    if isinstance(joints, Layout):
        return joints
    if joints not in LAYOUTS:
        raise ValueError(f"unknown joint layout {joints!r}; known are {', '.join(LAYOUTS)}")
    return LAYOUTS[joints]


@dataclass(frozen=True)
class Graph:
    """Adjacency of a joint layout under a partition strategy.

    Strategies of ST-GCN (Yan et al., AAAI 2018), all slices of one matrix A D^-1 with self links:
        uniform   K = 1           everything at most max_hop bones away
        distance  K = hops + 1    by the number of bones between two joints
        spatial   K = 2 hops + 1  joints at the same number of bones; of those beyond 0, apart: nearer to the centre
    Strategies of ST-TR (Plizzari et al., 2021), whose parts are normalised each by itself:
        directed    K = 3  self, from the joint next to the centre, from those further out (its `spatial`)
        separate    K = 2  self, neighbours (`distance`)
        difference  K = 1  self less neighbours (`distance*`)
        symmetric   K = 1  D^-1/2 (A + I) D^-1/2, as both papers write it (`DAD`)
        laplacian   K = 1  I - D^-1/2 A D^-1/2 (`DLD`)
        full        K = 1  all ones (`FC`)

    max_hop, dilation: hops are 0, dilation, 2 dilation, ... up to max_hop. true_distances: the official code of ST-GCN
    knows distances to the centre only up to max_hop, so that all bones further out count as "at the same distance";
    true means the distances of the paper.
    """

    layout: Layout
    strategy: str = "spatial"
    max_hop: int = 1
    dilation: int = 1
    true_distances: bool = False

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise ValueError(f"unknown graph strategy {self.strategy!r}; known are {', '.join(STRATEGIES)}")

    @cached_property
    def adjacency(self) -> NDArray[np.float32]:
        """(K, V, V)."""
        subsets = STRATEGIES[self.strategy](self)
        return np.stack(subsets).astype(np.float32)

    @cached_property
    def distances(self) -> Matrix:
        """(V, V) number of bones between joints, infinite where no way leads."""
        count = len(self.layout)
        bones = np.eye(count, dtype=bool)
        for a, b in self.layout.edge_indices:
            bones[a, b] = bones[b, a] = True
        distances = np.full((count, count), np.inf)
        reached = np.eye(count, dtype=bool)
        for hop in range(count):
            distances[reached & np.isinf(distances)] = hop
            reached = (reached.astype(np.int64) @ bones) > 0
        return distances

    @property
    def hops(self) -> range:
        """The distances that links may have."""
        return range(0, self.max_hop + 1, self.dilation)

    @property
    def near(self) -> Matrix:
        """(V, V) distances as far as links look."""
        return np.where(self.distances <= self.max_hop, self.distances, np.inf)


def _normalised(matrix: Matrix) -> Matrix:
    """Columns divided by their sums; empty ones stay 0."""
    total = matrix.sum(axis=0)
    normalised: Matrix = matrix / np.where(total > 0, total, 1)
    return normalised


def _symmetric(matrix: Matrix) -> Matrix:
    total = matrix.sum(axis=0)
    root = np.where(total > 0, total, 1) ** -0.5
    scaled: Matrix = root[:, None] * matrix * root
    return scaled


def _whole(graph: Graph) -> Matrix:
    """A D^-1 over all hops."""
    return _normalised(np.isin(graph.near, graph.hops).astype(np.float64))


def _uniform(graph: Graph) -> list[Matrix]:
    return [_whole(graph)]


def _distance(graph: Graph) -> list[Matrix]:
    return [np.where(graph.near == hop, _whole(graph), 0) for hop in graph.hops]


def _spatial(graph: Graph) -> list[Matrix]:
    whole, centre = _whole(graph), graph.layout.index(graph.layout.centre)
    to_centre = (graph.distances if graph.true_distances else graph.near)[centre]
    nearer = to_centre[:, None] < to_centre[None, :]  # source v nearer to the centre than target w
    subsets = []
    for hop in graph.hops:
        links = np.where(graph.near == hop, whole, 0)
        subsets += [links] if hop == 0 else [np.where(nearer, 0, links), np.where(nearer, links, 0)]
    return subsets


def _neighbours(graph: Graph) -> Matrix:
    linked: Matrix = (graph.distances == 1).astype(np.float64)
    return linked


def _directed(graph: Graph) -> list[Matrix]:
    """A bone whose ends are equally far from the centre (between the hips, say) points both ways."""
    to_centre = graph.distances[graph.layout.index(graph.layout.centre)]
    inward = _neighbours(graph) * (to_centre[None, :] >= to_centre[:, None])  # [v, w]: w is the outer end
    return [np.eye(len(graph.layout)), _normalised(inward), _normalised(inward.T)]


STRATEGIES: dict[str, Callable[[Graph], list[Matrix]]] = {
    "uniform": _uniform,
    "distance": _distance,
    "spatial": _spatial,
    "directed": _directed,
    "separate": lambda graph: [np.eye(len(graph.layout)), _normalised(_neighbours(graph))],
    "difference": lambda graph: [np.eye(len(graph.layout)) - _normalised(_neighbours(graph))],
    "symmetric": lambda graph: [_symmetric(_neighbours(graph) + np.eye(len(graph.layout)))],
    "laplacian": lambda graph: [np.eye(len(graph.layout)) - _symmetric(_neighbours(graph))],
    "full": lambda graph: [np.ones((len(graph.layout), len(graph.layout)))],
}
