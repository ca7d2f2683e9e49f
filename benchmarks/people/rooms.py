"""Empty rooms: drawn ones with textured walls and furniture, and parts of real videos that show nobody.

A room is a still picture and what changes in it: light, noise, a fan, a curtain, a screen, the camera's place. The
same seed gives the same pictures. Settings may be chosen on the rooms of `tune`, never on those of `test`.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.people.scenes import SIZE
from pose.demo.draw import Camera
from pose.demo.look import draw_look
from pose.demo.room import draw_room
from pose.demo.script import CHAIR
from pose.video_file import VideoFile

Picture = NDArray[np.uint8]
Random = np.random.Generator
Change = Callable[[Picture, float], Picture]  # of a picture at a time in seconds

FRAMES_A_ROOM = 30
_SEEDS = {"tune": 100_000, "test": 200_000}
# Where nobody stands in the middle of a video's frames: left and right end, in widths of the picture.
_EMPTY_PARTS = {
    "tune": (
        ("a7_s5_t2_color.avi", 0.0, 0.38),
        ("a7_s5_t2_color.avi", 0.58, 1.0),
        ("ta_chi.mp4", 0.0, 0.26),
        ("ta_chi.mp4", 0.75, 1.0),
        ("hug_2people.mp4", 0.0, 0.3),
        ("hug_2people.mp4", 0.65, 1.0),
    ),
    "test": (
        ("clean_and_jerk.mp4", 0.0, 0.4),
        ("clean_and_jerk.mp4", 0.65, 1.0),
        ("aerobics_3people.avi", 0.03, 0.2),
        ("aerobics_3people.avi", 0.75, 0.98),
        ("no_full_body_makeup.avi", 0.0, 0.28),
        ("no_full_body_pool.mp4", 0.0, 1.0),
    ),
}
_MAX_NOISE_SHIFT = 64  # pixels: each frame takes another random crop of one noise field
_STILLS_OF_A_VIDEO = 40  # frames whose middle is taken


def rooms(part: str, frames: int, step_s: float, videos: Path | None = None) -> Iterator[Picture]:
    """Pictures without anybody, step_s apart; a new room every 30 frames. videos: the folder with the real ones."""
    real = [] if videos is None else [_beside_people(videos / name, a, b) for name, a, b in _EMPTY_PARTS[part]]
    for first in range(0, frames, FRAMES_A_ROOM):
        number = first // FRAMES_A_ROOM
        rng = np.random.default_rng(_SEEDS[part] + number)
        room = _room(rng, number, real)
        changes = _changes(rng)
        for frame in range(min(FRAMES_A_ROOM, frames - first)):
            picture = room
            for change in changes:
                picture = change(picture, (first + frame) * step_s)
            yield picture


def _room(rng: Random, number: int, real: Sequence[Picture]) -> Picture:
    """Of eight rooms one is the demo's, four are drawn, and three real, where there are any."""
    if number % 8 == 0:
        look = draw_look(int(rng.integers(1 << 30)))
        room: Picture = draw_room(look, Camera(SIZE, look.camera_m, look.camera_yaw).project, SIZE, CHAIR)
        return room
    if number % 2 or not real:
        return _drawn_room(rng)
    picture = real[int(rng.integers(len(real)))]
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    height, width = picture.shape[:2]
    share = rng.uniform(0.55, 1.0)
    x, y = (int(rng.uniform(0, (1 - share) * side)) for side in (width, height))
    part = picture[y : y + int(share * height), x : x + int(share * width)]
    return np.asarray(cv2.resize(part, SIZE, interpolation=cv2.INTER_LINEAR), np.uint8)


def _beside_people(path: Path, left: float, right: float) -> Picture:
    """The part of a video beside its people, in the middle of many frames, and its mirror image beside it."""
    source = VideoFile(path)
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame.bgr)
    source.close()
    still = np.median(np.stack(frames[:: max(1, len(frames) // _STILLS_OF_A_VIDEO)]), axis=0).astype(np.uint8)
    width = still.shape[1]
    part = still[:, int(left * width) : int(right * width)]
    whole = part if right - left > 0.9 else np.hstack([part, part[:, ::-1]])
    return np.asarray(cv2.resize(whole, SIZE, interpolation=cv2.INTER_LINEAR), np.uint8)


# Drawn rooms.


def _drawn_room(rng: Random) -> Picture:
    """A wall of some texture over a floor of another, and some furniture; now and then only a texture."""
    width, height = SIZE
    picture = _texture(rng)
    if rng.random() < 0.2:
        return picture
    edge = int(rng.uniform(0.55, 0.85) * height)
    picture[edge:] = _texture(rng)[edge:]
    for _ in range(int(rng.integers(2, 8))):
        piece = _FURNITURE[int(rng.integers(len(_FURNITURE)))]
        x = int(rng.uniform(0.05, 0.95) * width)
        piece(picture, rng, x, int(edge + rng.uniform(0.0, 0.3) * (height - edge)), float(rng.uniform(0.5, 1.2)))
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.6, 1.6)), np.uint8)


def _colour(rng: Random) -> tuple[int, ...]:
    return tuple(int(value) for value in rng.integers(20, 236, 3))


def _texture(rng: Random) -> Picture:
    width, height = SIZE
    kind = int(rng.integers(5))
    colour, other = (np.array(_colour(rng), float) for _ in range(2))
    y, x = np.mgrid[0:height, 0:width]
    if kind == 0:  # one colour, shaded
        share = 0.15 * (x / width + y / height)
    elif kind == 1:  # stripes
        share = ((x if rng.random() < 0.7 else y) // rng.integers(6, 60)) % 2
    elif kind == 2:  # bricks, or tiles where rows are not shifted
        high, long = rng.integers(14, 50), rng.integers(30, 120)
        row = y // high
        joint = (y % high < 3) | ((x + row % 2 * (long // 2) * rng.integers(2)) % long < 3)
        share = np.where(joint, 1.0, 0.25 * np.sin(row * 7.1 + (x // long) * 3.3))
    elif kind == 3:  # clouds of several sizes, as stone, leaves or cloth
        share = sum(_clouds(rng, 2**octave * int(rng.integers(2, 5))) / 2**octave for octave in range(5)) / 1.5
    else:  # blots of any colours
        cells = int(rng.integers(4, 24))
        coarse = rng.integers(30, 220, (cells, cells + 2, 3)).astype(np.uint8)
        return np.asarray(cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC), np.uint8)
    mixed = colour + (other - colour) * np.asarray(share, float)[..., None]
    return np.asarray(np.clip(mixed, 0, 255), np.uint8)


def _clouds(rng: Random, cells: int) -> NDArray[np.float64]:
    coarse = rng.uniform(0, 1, (cells, cells + 1))
    return np.asarray(cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC), np.float64)


def _shelf(picture: Picture, rng: Random, x: int, foot: int, size: float) -> None:
    wide, high = int(110 * size), int(240 * size)
    cv2.rectangle(picture, (x, foot - high), (x + wide, foot), _colour(rng), -1)
    for board in range(4):
        base, left = foot - high * board // 4 - 6, x + 5
        while left < x + wide - 14:
            thick, tall = int(rng.integers(4, 13)), int(rng.uniform(0.5, 0.9) * high / 4)
            cv2.rectangle(picture, (left, base - tall), (left + thick, base), _colour(rng), -1)
            left += thick + 1


def _lamp(picture: Picture, rng: Random, x: int, foot: int, size: float) -> None:
    """A standing lamp: a head on a pole."""
    high, half = int(230 * size), int(32 * size)
    cv2.line(picture, (x, foot), (x, foot - high), _colour(rng), max(int(5 * size), 2))
    shade = [(x - half // 2, foot - high - half), (x + half // 2, foot - high - half), (x + half, foot - high)]
    cv2.fillPoly(picture, [np.array([*shade, (x - half, foot - high)], np.int32)], _colour(rng))
    cv2.ellipse(picture, (x, foot), (half, half // 3), 0, 0, 360, _colour(rng), -1)


def _coat_stand(picture: Picture, rng: Random, x: int, foot: int, size: float) -> None:
    """A coat and a hat on a stand."""
    high, half, colour = int(250 * size), int(36 * size), _colour(rng)
    cv2.line(picture, (x, foot), (x, foot - high), _colour(rng), max(int(6 * size), 2))
    coat = [(x - half // 2, foot - high + half), (x + half // 2, foot - high + half), (x + half, foot - high // 3)]
    cv2.fillPoly(picture, [np.array([*coat, (x - half, foot - high // 3)], np.int32)], colour)
    cv2.ellipse(picture, (x, foot - high), (half // 2, half // 4), 0, 0, 360, _colour(rng), -1)
    for side in (-1, 1):
        cv2.line(picture, (x, foot - half // 3), (x + side * half, foot), colour, max(int(5 * size), 2))


def _chair(picture: Picture, rng: Random, x: int, foot: int, size: float) -> None:
    side, colour, thick = int(70 * size), _colour(rng), max(int(7 * size), 2)
    cv2.rectangle(picture, (x, foot - 2 * side), (x + side, foot - side - side // 3), colour, -1)
    cv2.rectangle(picture, (x - side // 8, foot - side), (x + side, foot - side + 2 * thick), colour, -1)
    for place in (0, side):
        cv2.line(picture, (x + place, foot - 2 * side), (x + place, foot), colour, thick)


def _plant(picture: Picture, rng: Random, x: int, foot: int, size: float) -> None:
    pot = int(28 * size)
    cv2.rectangle(picture, (x - pot, foot - 2 * pot), (x + pot, foot), _colour(rng), -1)
    for _ in range(14):
        tip = (x + int(rng.normal(0, 45 * size)), foot - int(rng.uniform(90, 230) * size))
        green = (int(rng.integers(20, 90)), int(rng.integers(80, 190)), int(rng.integers(20, 90)))
        cv2.line(picture, (x, foot - 2 * pot), tip, green, max(int(rng.uniform(3, 12) * size), 2))


def _poster(picture: Picture, rng: Random, x: int, foot: int, size: float) -> None:
    """A framed picture of shapes; nobody is in it."""
    wide, high, top = int(110 * size), int(90 * size), int(rng.uniform(0.05, 0.4) * SIZE[1])
    cv2.rectangle(picture, (x, top), (x + wide, top + high), _colour(rng), -1)
    for _ in range(6):
        a, b = (int(x + rng.uniform(0.1, 0.9) * wide) for _ in range(2))
        c, d = (int(top + rng.uniform(0.1, 0.9) * high) for _ in range(2))
        if rng.random() < 0.5:
            cv2.line(picture, (a, c), (b, d), _colour(rng), int(rng.integers(2, 9)))
        else:
            cv2.circle(picture, (a, c), int(rng.uniform(0.05, 0.18) * high), _colour(rng), -1)
    cv2.rectangle(picture, (x, top), (x + wide, top + high), _colour(rng), 4)


def _door(picture: Picture, rng: Random, x: int, foot: int, size: float) -> None:
    wide, high, dark = int(100 * size), int(250 * size), _colour(rng)
    cv2.rectangle(picture, (x, foot - high), (x + wide, foot), _colour(rng), -1)
    for low, top in ((0.1, 0.45), (0.55, 0.92)):
        corner = (x + wide // 6, foot - int(top * high))
        cv2.rectangle(picture, corner, (x + wide - wide // 6, foot - int(low * high)), dark, 2)
    cv2.circle(picture, (x + wide - wide // 10, foot - high // 2), max(int(5 * size), 2), dark, -1)


_FURNITURE = (_shelf, _lamp, _coat_stand, _chair, _plant, _poster, _door)


# What changes.


def _changes(rng: Random) -> list[Change]:
    """One or two things that move or none, then light, then the camera's noise."""
    moving = [_fan, _curtain, _screen, _shaking, _shadow]
    chosen = rng.permutation(len(moving))[: int(rng.integers(3))]
    lights = [_slow_light, _flicker, _switch]
    return [*(moving[place](rng) for place in chosen), lights[int(rng.integers(len(lights)))](rng), _noise(rng)]


def _fan(rng: Random) -> Change:
    x, y, reach = (int(rng.uniform(0.1, 0.9) * side) for side in (*SIZE, 200))
    reach, colour, speed = max(reach, 30), _colour(rng), rng.uniform(3, 20)

    def turned(picture: Picture, time_s: float) -> Picture:
        made = picture.copy()
        cv2.line(made, (x, y), (x, y + 2 * reach), colour, 5)
        for blade in range(3):
            angle = speed * time_s + blade * 2 * np.pi / 3
            tips = [(x + reach * np.cos(a), y + reach * np.sin(a)) for a in (angle - 0.25, angle + 0.25)]
            cv2.fillPoly(made, [np.array([(x, y), *tips], np.int32)], colour)
        cv2.circle(made, (x, y), reach, colour, 2)
        return made

    return turned


def _curtain(rng: Random) -> Change:
    wide, left, colour = int(rng.integers(60, 200)), int(rng.integers(0, 440)), np.array(_colour(rng), float)
    folds, sway, speed = rng.uniform(3, 9), rng.uniform(4, 30), rng.uniform(0.5, 4)

    def moved(picture: Picture, time_s: float) -> Picture:
        made = picture.copy()
        y, x = np.mgrid[0 : SIZE[1], 0:wide]
        phase = x / wide * folds * 2 * np.pi + sway / 10 * np.sin(speed * time_s) * y / SIZE[1]
        shade = colour * (0.7 + 0.3 * np.sin(phase))[..., None]
        shift = int(sway * np.sin(speed * time_s))
        place = int(np.clip(left + shift, 0, SIZE[0] - wide))
        made[:, place : place + wide] = np.clip(shade, 0, 255)
        return made

    return moved


def _screen(rng: Random) -> Change:
    """A television that shows other patterns each time."""
    x, y, wide = int(rng.integers(0, 420)), int(rng.integers(20, 260)), int(rng.integers(90, 210))
    seed = int(rng.integers(1 << 30))

    def shown(picture: Picture, time_s: float) -> Picture:
        shot = np.random.default_rng(seed + round(time_s / 2))
        high = int(wide * 9 / 16)
        coarse = shot.integers(0, 255, (int(shot.integers(2, 9)), int(shot.integers(2, 12)), 3)).astype(np.uint8)
        made = picture.copy()
        made[y : y + high, x : x + wide] = cv2.resize(coarse, (wide, high), interpolation=cv2.INTER_CUBIC)
        cv2.rectangle(made, (x, y), (x + wide, y + high), (12, 12, 12), 6)
        return made

    return shown


def _shaking(rng: Random) -> Change:
    reach, speeds = rng.uniform(1, 14), rng.uniform(1, 9, 2)

    def shaken(picture: Picture, time_s: float) -> Picture:
        x, y = (float(reach * np.sin(speed * time_s)) for speed in speeds)
        move = np.array([[1, 0, x], [0, 1, y]], np.float32)
        return np.asarray(cv2.warpAffine(picture, move, SIZE, borderMode=cv2.BORDER_REFLECT), np.uint8)

    return shaken


def _shadow(rng: Random) -> Change:
    """A soft upright shadow, or a beam of light, that passes."""
    half, depth, period = rng.uniform(15, 90), rng.uniform(-0.6, 0.6), rng.uniform(3, 15)

    def passing(picture: Picture, time_s: float) -> Picture:
        middle = (time_s % period) / period * (SIZE[0] + 4 * half) - 2 * half
        dark = 1 - depth * np.exp(-(((np.arange(SIZE[0]) - middle) / half) ** 2))
        return np.asarray(np.clip(picture * dark[None, :, None], 0, 255), np.uint8)

    return passing


def _slow_light(rng: Random) -> Change:
    low, high, period = rng.uniform(0.2, 0.7), rng.uniform(0.9, 1.4), rng.uniform(4, 60)
    return lambda picture, time_s: _lit(picture, low + (high - low) * (0.5 + 0.5 * np.sin(2 * np.pi * time_s / period)))


def _flicker(rng: Random) -> Change:
    depth, seed = rng.uniform(0.05, 0.4), int(rng.integers(1 << 30))
    return lambda picture, time_s: _lit(
        picture, 1 - depth * np.random.default_rng(seed + round(1000 * time_s)).uniform()
    )


def _switch(rng: Random) -> Change:
    dark, period = rng.uniform(0.15, 0.6), rng.uniform(2, 8)
    return lambda picture, time_s: _lit(picture, dark if time_s % period < period / 2 else 1.0)


def _lit(picture: Picture, light: float) -> Picture:
    return np.asarray(cv2.convertScaleAbs(picture, alpha=light), np.uint8)


def _noise(rng: Random) -> Change:
    """Of the sensor, and in half of the rooms of a camera that compresses strongly."""
    deviation, quality, seed = rng.uniform(1, 12), int(rng.integers(15, 60)), int(rng.integers(1 << 30))
    compressed = rng.random() < 0.5
    width, height = SIZE
    field = rng.normal(0, deviation, (height + _MAX_NOISE_SHIFT, width + _MAX_NOISE_SHIFT, 3)).astype(np.int16)

    def noisy(picture: Picture, time_s: float) -> Picture:
        x, y = np.random.default_rng(seed + round(1000 * time_s)).integers(0, _MAX_NOISE_SHIFT, 2)
        own = np.ascontiguousarray(field[y : y + height, x : x + width])
        made = np.asarray(cv2.add(picture.astype(np.int16), own, dtype=cv2.CV_8U), np.uint8)
        if not compressed:
            return made
        _, packed = cv2.imencode(".jpg", made, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)

    return noisy
