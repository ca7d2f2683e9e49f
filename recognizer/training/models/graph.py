"""The skeleton as a graph: adjacency matrices of the partition strategies of ST-GCN and ST-TR.

K subsets, V joints. An adjacency A (K, V, V) is used as out[w] = sum over v of x[v] A[k, v, w].
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import shortest_path

from pose.skeleton import LAYOUTS, Layout

Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]

_ALPHA = 0.001  # of Eq. 10 of ST-GCN, against division by 0


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

    Strategies of ST-GCN (Yan et al., AAAI 2018), with self links:
        uniform        K = 1           everything at most max_hop bones away
        opposed        K = 1           self less the others (`distance*` of its Table 1: two subsets, w0 = -w1)
        distance       K = hops + 1    by the number of bones between two joints
        spatial        K = 2 hops + 1  joints at the same number of bones; beyond 0, nearer to the centre apart
        mean-distance  K = 3           as near to the centre as the joint, nearer, further, by `centre_distances`
    Strategies of ST-TR (Plizzari et al., 2021), whose parts are normalised each by itself:
        directed    K = 3  self, from the joint next to the centre, from those further out (its `spatial`)
        separate    K = 2  self, neighbours (`distance`)
        difference  K = 1  self less neighbours (`distance*`)
        symmetric   K = 1  D^-1/2 (A + I) D^-1/2, as both papers write it (`DAD`)
        laplacian   K = 1  I - D^-1/2 A D^-1/2 (`DLD`)
        full        K = 1  all ones (`FC`)

    max_hop, dilation: hops are 0, dilation, 2 dilation, ... up to max_hop. As in the official code of ST-GCN distances
    to the centre are known only up to max_hop, so that all bones further out count as "at the same distance".
    normalise, of ST-GCN's strategies alone: "whole" makes all subsets slices of one matrix A D^-1, as the code does;
    "subset" is Eq. 10 of the paper as printed, L^-1/2 A L^-1/2 for each subset A by itself, L the sums of what each
    joint gathers plus 0.001. A joint that gathers nothing in a subset has L = 0.001, so that links from it weigh
    about 30 times as much as others.
    centre_distances: of `mean-distance`, each joint's mean distance from the middle of all joints over the training
    clips (the paper's r).
    """

    layout: Layout
    strategy: str = "spatial"
    max_hop: int = 1
    dilation: int = 1
    normalise: str = "whole"
    centre_distances: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        known = (*PARTITIONS, *OPERATORS)
        if self.strategy not in known:
            raise ValueError(f"unknown graph strategy {self.strategy!r}; known are {', '.join(known)}")
        if self.normalise not in ("whole", "subset"):
            raise ValueError(f"normalise must be whole or subset, got {self.normalise!r}")
        if self.normalise != "whole" and self.strategy in OPERATORS:
            raise ValueError(f"strategy {self.strategy} has a normalisation of its own; leave out normalise")
        if self.strategy == "mean-distance" and len(self.centre_distances) != len(self.layout):
            raise ValueError("strategy mean-distance needs each joint's mean distance, which training clips give")

    @cached_property
    def adjacency(self) -> NDArray[np.float32]:
        """(K, V, V)."""
        if self.strategy in OPERATORS:
            subsets = OPERATORS[self.strategy](self)
        else:
            masks = PARTITIONS[self.strategy](self)
            if self.normalise == "whole":
                whole = _normalised(self.linked.astype(np.float64))
                subsets = [np.where(mask, whole, 0) for mask in masks]
            else:
                subsets = [_symmetric(mask, _ALPHA) for mask in masks]
            if self.strategy == "opposed":
                subsets = [subsets[0] - sum(subsets[1:])]
        return np.stack(subsets).astype(np.float32)

    @cached_property
    def distances(self) -> Matrix:
        """(V, V) number of bones between joints, infinite where no way leads."""
        bones = np.zeros((len(self.layout), len(self.layout)))
        for a, b in self.layout.edge_indices:
            bones[a, b] = 1
        distances: Matrix = shortest_path(bones, directed=False, unweighted=True)
        return distances

    @property
    def hops(self) -> range:
        """The distances that links may have."""
        return range(0, self.max_hop + 1, self.dilation)

    @property
    def near(self) -> Matrix:
        """(V, V) distances as far as links look."""
        return np.where(self.distances <= self.max_hop, self.distances, np.inf)

    @property
    def linked(self) -> Mask:
        """(V, V) joints that are one of `hops` apart."""
        return np.isin(self.near, self.hops)


def _normalised(matrix: Matrix) -> Matrix:
    """Columns divided by their sums; empty ones stay 0."""
    total = matrix.sum(axis=0)
    normalised: Matrix = matrix / np.where(total > 0, total, 1)
    return normalised


def _symmetric(matrix: Matrix | Mask, alpha: float = 0.0) -> Matrix:
    """L^-1/2 A L^-1/2 of one subset A [v, w], L the sums of what each joint gathers, plus alpha."""
    total = matrix.sum(axis=0) + alpha
    root = np.where(total > 0, total, 1) ** -0.5
    scaled: Matrix = root[:, None] * matrix * root
    return scaled


def _distance(graph: Graph) -> list[Mask]:
    return [graph.near == hop for hop in graph.hops]


def _spatial(graph: Graph) -> list[Mask]:
    centre = graph.layout.index(graph.layout.centre)
    to_centre = graph.near[centre]
    nearer = to_centre[:, None] < to_centre[None, :]  # source v nearer to the centre than target w
    subsets = []
    for hop in graph.hops:
        links = graph.near == hop
        subsets += [links] if hop == 0 else [links & ~nearer, links & nearer]
    return subsets


def _mean_distance(graph: Graph) -> list[Mask]:
    r = np.array(graph.centre_distances)
    source, target = r[:, None], r[None, :]
    return [graph.linked & found for found in (source == target, source < target, source > target)]


def _neighbours(graph: Graph) -> Matrix:
    linked: Matrix = (graph.distances == 1).astype(np.float64)
    return linked


def _directed(graph: Graph) -> list[Matrix]:
    """A bone whose ends are equally far from the centre (between the hips, say) points both ways."""
    to_centre = graph.distances[graph.layout.index(graph.layout.centre)]
    inward = _neighbours(graph) * (to_centre[None, :] >= to_centre[:, None])  # [v, w]: w is the outer end
    return [np.eye(len(graph.layout)), _normalised(inward), _normalised(inward.T)]


# What a joint gathers from, in subsets that are normalised as the graph says.
PARTITIONS: dict[str, Callable[[Graph], list[Mask]]] = {
    "uniform": lambda graph: [graph.linked],
    "opposed": _distance,
    "distance": _distance,
    "spatial": _spatial,
    "mean-distance": _mean_distance,
}
OPERATORS: dict[str, Callable[[Graph], list[Matrix]]] = {
    "directed": _directed,
    "separate": lambda graph: [np.eye(len(graph.layout)), _normalised(_neighbours(graph))],
    "difference": lambda graph: [np.eye(len(graph.layout)) - _normalised(_neighbours(graph))],
    "symmetric": lambda graph: [_symmetric(_neighbours(graph) + np.eye(len(graph.layout)))],
    "laplacian": lambda graph: [np.eye(len(graph.layout)) - _symmetric(_neighbours(graph))],
    "full": lambda graph: [np.ones((len(graph.layout), len(graph.layout)))],
}
