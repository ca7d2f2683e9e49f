"""Surfaces that follow bones: faces of four points, built from rings around the limbs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose.demo.body import BONE, Skeleton
from pose.demo.look import Colour
from pose.demo.posture import Floats

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Part:
    """What a piece of surface hangs on: metres in the axes of its first bone, as in body.Skeleton.

    second: a bone that may take over part of the surface; joint: where it begins, seen from the first one.
    """

    first: str
    second: str
    joint: Point = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Ring:
    """A loop of points around a part.

    along: position on the tube's axis. across, front, back: radii sideways and to either side of the other axis.
    colour: of the faces from this ring to the next. share: 0 moves with the first bone, 1 with the second.
    x, off: shift of the centre sideways and along the other axis.
    """

    along: float
    across: float
    front: float
    back: float
    colour: Colour
    share: float = 0.0
    x: float = 0.0
    off: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Faces over points that follow one or two bones.

    first, second: (N, 3) points as seen from their first and second bone. bones: (N, 2). share: (N, 1) of the second.
    faces: (F, 4) points, counter-clockwise from outside. colours: (F, 3) BGR 0..255.
    lift: (F,) metres by which a face is drawn nearer to the camera than it is.
    """

    first: Floats
    second: Floats
    bones: NDArray[np.intp]
    share: Floats
    faces: NDArray[np.intp]
    colours: Floats
    lift: Floats

    def shape(self, skeleton: Skeleton) -> Floats:
        """(N, 3) points in the room."""
        a, b = self.bones[:, 0], self.bones[:, 1]
        on_first = np.einsum("nij,nj->ni", skeleton.turns[a], self.first) + skeleton.origins[a]
        on_second = np.einsum("nij,nj->ni", skeleton.turns[b], self.second) + skeleton.origins[b]
        points: Floats = on_first + (on_second - on_first) * self.share
        return points


def join(meshes: Sequence[Mesh]) -> Mesh:
    """One mesh of several."""
    starts = np.cumsum([0, *(len(mesh.first) for mesh in meshes[:-1])])
    return Mesh(
        first=np.concatenate([mesh.first for mesh in meshes]),
        second=np.concatenate([mesh.second for mesh in meshes]),
        bones=np.concatenate([mesh.bones for mesh in meshes]),
        share=np.concatenate([mesh.share for mesh in meshes]),
        faces=np.concatenate([mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)]),
        colours=np.concatenate([mesh.colours for mesh in meshes]),
        lift=np.concatenate([mesh.lift for mesh in meshes]),
    )


def tube(part: Part, rings: Sequence[Ring], corners: int, *, lengthways: bool = False, square: float = 1.0) -> Mesh:
    """Rings joined by faces.

    The axis is y (up) and `front` is forwards; lengthways, the axis is z (forwards) and `front` is up.
    square: 1 for ellipses, less for rounder rectangles.
    """
    angles = (np.arange(corners) + 0.5) * 2 * np.pi / corners
    cos, sin = (np.sign(w) * np.abs(w) ** square for w in (np.cos(angles), np.sin(angles)))
    loops = []
    for ring in rings:
        side = ring.x + ring.across * cos
        other = ring.off + np.where(sin > 0, ring.front, ring.back) * sin
        along = np.full(corners, ring.along)
        loops.append(np.stack([side, other, along] if lengthways else [side, along, other], axis=1))
    here = np.arange(corners)
    ahead = (here + 1) % corners
    faces = np.concatenate(
        [
            np.stack(
                [i * corners + here, i * corners + ahead, (i + 1) * corners + ahead, (i + 1) * corners + here], axis=1
            )
            for i in range(len(rings) - 1)
        ]
    )
    colours = np.repeat([ring.colour for ring in rings[:-1]], corners, axis=0)
    share = np.repeat([ring.share for ring in rings], corners)
    return _on_part(part, np.concatenate(loops), faces, colours, share)


def patch(part: Part, points: Sequence[Point], colour: Colour, lift: float) -> Mesh:
    """A flat convex piece with an even number of corners, counter-clockwise from outside, cut into strips."""
    last = len(points) - 1
    faces = np.array([(i, i + 1, last - i - 1, last - i) for i in range(len(points) // 2 - 1)])
    mesh = _on_part(
        part, np.array(points), faces, np.array([colour] * len(faces)), np.zeros(len(points)), outwards=False
    )
    mesh.lift[:] = lift
    return mesh


def keep(mesh: Mesh, wanted: NDArray[np.bool_]) -> Mesh:
    """The mesh with only some of its faces; wanted: (F,)."""
    return Mesh(
        mesh.first,
        mesh.second,
        mesh.bones,
        mesh.share,
        mesh.faces[wanted],
        mesh.colours[wanted],
        mesh.lift[wanted],
    )


def _on_part(
    part: Part, points: Floats, faces: NDArray[np.intp], colours: Floats, share: Floats, *, outwards: bool = True
) -> Mesh:
    if outwards and _volume(points, faces) < 0:
        faces = faces[:, ::-1]
    return Mesh(
        first=points,
        second=points - np.array(part.joint),
        bones=np.tile(np.array([BONE[part.first], BONE[part.second]]), (len(points), 1)),
        share=share[:, None].astype(np.float64),
        faces=faces,
        colours=colours.astype(np.float64),
        lift=np.zeros(len(faces)),
    )


def _volume(points: Floats, faces: NDArray[np.intp]) -> float:
    """Positive when the faces run counter-clockwise seen from outside."""
    corner = points[faces] - points.mean(axis=0)
    normal = np.cross(corner[:, 2] - corner[:, 0], corner[:, 3] - corner[:, 1])
    return float((corner.mean(axis=1) * normal).sum())
