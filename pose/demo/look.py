"""How the demo's person and room look: clothes, skin, hair, body and camera, drawn from a seed."""

from dataclasses import dataclass

import numpy as np

from pose.demo.body import Proportions

Colour = tuple[int, int, int]  # blue, green, red

_SKINS: tuple[Colour, ...] = ((140, 172, 222), (104, 142, 196), (158, 190, 236), (66, 94, 142), (84, 118, 172))
_HAIRS: tuple[Colour, ...] = ((30, 42, 62), (24, 24, 28), (84, 140, 182), (38, 62, 104), (120, 122, 128))
_SHIRTS: tuple[Colour, ...] = (
    (158, 98, 48),
    (60, 70, 176),
    (110, 140, 62),
    (200, 204, 208),
    (52, 150, 206),
    (134, 74, 120),
)
_TROUSERS: tuple[Colour, ...] = ((84, 68, 58), (56, 52, 50), (118, 134, 150), (110, 78, 52))
_SHOES: tuple[Colour, ...] = ((228, 230, 232), (62, 60, 66), (84, 90, 190))
_WALLS: tuple[Colour, ...] = ((206, 218, 224), (214, 212, 198), (196, 214, 206), (200, 204, 220))


@dataclass(frozen=True, slots=True)
class Look:
    """Colours, hair and sleeves, the body's proportions, and where the camera stands.

    long_hair: down to the shoulders. long_sleeves: down to the wrists. stripes: across the shirt.
    camera_m: distance of the camera. camera_yaw: degrees from which it looks at the room.
    """

    skin: Colour
    hair: Colour
    shirt: Colour
    trousers: Colour
    shoes: Colour
    wall: Colour
    long_hair: bool
    long_sleeves: bool
    stripes: bool
    body: Proportions
    camera_m: float
    camera_yaw: float


def draw_look(seed: int) -> Look:
    """The look of a seed; 0 is the one that a first user sees."""
    if seed == 0:
        return Look(
            skin=_SKINS[0],
            hair=_HAIRS[0],
            shirt=_SHIRTS[0],
            trousers=_TROUSERS[0],
            shoes=_SHOES[0],
            wall=_WALLS[0],
            long_hair=False,
            long_sleeves=False,
            stripes=False,
            body=Proportions(),
            camera_m=3.35,
            camera_yaw=0.0,
        )
    rng = np.random.default_rng(seed)

    def one_of(colours: tuple[Colour, ...]) -> Colour:
        return colours[int(rng.integers(len(colours)))]

    return Look(
        skin=one_of(_SKINS),
        hair=one_of(_HAIRS),
        shirt=one_of(_SHIRTS),
        trousers=one_of(_TROUSERS),
        shoes=one_of(_SHOES),
        wall=one_of(_WALLS),
        long_hair=bool(rng.random() < 0.5),
        long_sleeves=bool(rng.random() < 0.4),
        stripes=bool(rng.random() < 0.3),
        body=_draw_body(rng),
        camera_m=float(rng.uniform(3.35, 3.8)),
        camera_yaw=float(rng.uniform(-7, 7)),
    )


def _draw_body(rng: np.random.Generator) -> Proportions:
    standard = Proportions()
    stature, legs = rng.uniform(0.93, 1.02), rng.uniform(0.97, 1.03)
    trunk, arms = stature * (2 - legs), stature * rng.uniform(0.98, 1.03)
    return Proportions(
        thigh=standard.thigh * stature * legs,
        shin=standard.shin * stature * legs,
        hips=standard.hips * rng.uniform(0.97, 1.1),
        lower_back=standard.lower_back * trunk,
        upper_back=standard.upper_back * trunk,
        shoulders=standard.shoulders * stature * rng.uniform(0.93, 1.04),
        upper_arm=standard.upper_arm * arms,
        forearm=standard.forearm * arms,
        girth=float(rng.uniform(0.92, 1.12)),
    )
