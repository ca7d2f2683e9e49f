"""The parts of the estimator by themselves: regions, tiles, anchors, merging, refinement, smoothing, colours, files."""

import math
import shutil
import zipfile
from dataclasses import replace

import cv2
import numpy as np
import pytest
from world import upright

from pose.blazepose import detector, landmarks, networks
from pose.blazepose.colours import difference, trunk_colours
from pose.blazepose.covers import cover
from pose.blazepose.detector import Detection, anchors, merge
from pose.blazepose.estimator import BlazePoseEstimator
from pose.blazepose.filters import LandmarkFilter
from pose.blazepose.landmarks import LandmarkNetwork, Landmarks, refine
from pose.blazepose.networks import load_networks
from pose.blazepose.region import Region, around_person, cut
from pose.blazepose.tiles import SearchPlan, tiles, whole
from pose.demo import DemoSource
from pose.errors import PoseModelError
from pose.estimator import MediaPipeEstimator
from pose.model_asset import LANDMARKS
from pose.onnx_session import open_session
from pose.skeleton import MEDIAPIPE_33, MPOSE_13
from pose.types import Frame


@pytest.mark.parametrize(
    ("top", "turn"), [((0, -50), 0.0), ((50, 0), math.pi / 2), ((0, 50), math.pi), ((-50, 0), -math.pi / 2)]
)
def test_a_region_turns_with_the_person(top, turn):
    middle = np.array([100, 200], np.float32)
    region = around_person(middle, middle + np.array(top, np.float32))
    assert (region.x_px, region.y_px, region.side_px) == pytest.approx((100, 200, 125))
    assert math.cos(region.turn - turn) == pytest.approx(1)
    upwards = region.to_picture(np.array([0.5, 0.1], np.float32)) - middle
    np.testing.assert_allclose(upwards, np.array(top) * 0.4 * 125 / 50, atol=1e-3)


def test_what_is_cut_out_lies_where_the_way_back_says():
    picture = np.zeros((240, 320, 3), np.uint8)
    cv2.circle(picture, (170, 90), 3, (255, 255, 255), -1)
    region = Region(160, 100, 80, 0.7)
    part = cut(picture, region, 256)
    y, x = np.argwhere(part[..., 0] > 128).mean(axis=0)
    np.testing.assert_allclose(region.to_picture(np.array([x, y], np.float32) / 256), (170, 90), atol=0.5)


def test_from_the_picture_into_a_region_and_back():
    points = np.random.default_rng(0).uniform(0, 500, (20, 2)).astype(np.float32)
    region = Region(160, 100, 80, 0.7)
    np.testing.assert_allclose(region.to_picture(region.from_picture(points)), points, atol=1e-2)


def test_a_region_without_a_place_is_refused():
    with pytest.raises(ValueError, match="nowhere"):
        Region(math.nan, 0, 1)


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (64, 64), (3840, 2160), (1000, 100)])
def test_tiles_cover_the_picture_and_overlap(size):
    width, height = size
    for side in (float(min(size)), 0.62 * min(size)):
        seen = np.zeros((height, width), bool)
        for tile in tiles(width, height, side):
            left, top = (round(v - side / 2) for v in (tile.x_px, tile.y_px))
            seen[max(top, 0) : round(tile.y_px + side / 2), max(left, 0) : round(tile.x_px + side / 2)] = True
        assert seen.all()
    plan = SearchPlan(*size)
    first = [plan.next_region() for _ in range(60)]
    assert first[0] == whole(width, height)
    assert len(set(first)) >= 2


def test_looks_behind_people_take_turns_and_leave_frames_to_the_tiles():
    plan, people = SearchPlan(640, 480), [Region(100, 100, 200), Region(400, 100, 200)]
    found = []
    for _ in range(48):
        if not plan.is_due() and (region := plan.next_behind(people)) is not None:
            found.append(region)
    assert len(found) == 12
    assert {region.x_px < 250 for region in found[:2]} == {True, False}
    assert plan.next_behind([]) is None


def test_a_quiet_finder_looks_half_as_often():
    plan = SearchPlan(640, 480)
    frames = [plan.is_due() and plan.next_region() is not None for _ in range(200)]
    assert sum(frames[:40]) == 20
    assert sum(frames[100:140]) == 10
    plan.note_change()
    assert sum(plan.is_due() and plan.next_region() is not None for _ in range(20)) == 10


def test_anchors_are_the_middles_of_three_grids():
    made = anchors()
    assert made.shape == (2254, 2)
    np.testing.assert_allclose(made[0], (0.5 / 28, 0.5 / 28), atol=1e-6)
    np.testing.assert_allclose(made[2], (1.5 / 28, 0.5 / 28), atol=1e-6)
    np.testing.assert_allclose(made[-1], (6.5 / 7, 6.5 / 7), atol=1e-6)


def detection(x, y, score, size=100.0):
    hips = np.array([x, y], np.float32)
    return Detection(
        hips, hips - np.array([0, 0.3 * size], np.float32), hips - np.array([0, size / 2], np.float32), score
    )


def test_detections_of_one_person_become_one():
    made = merge([detection(100, 100, 0.6), detection(106, 100, 0.9), detection(300, 100, 0.4)])
    assert [one.score for one in made] == [0.9, 0.4]
    assert made[0].hips_px[0] == pytest.approx((0.6 * 100 + 0.9 * 106) / 1.5)
    assert made[1].hips_px[0] == pytest.approx(300)


def test_people_whose_hips_or_shoulders_alone_are_in_one_place_stay_two():
    first, bent = detection(100, 100, 0.9), detection(100, 100, 0.7)
    aside = np.array([40, 0], np.float32)
    shoulders_apart = replace(bent, shoulders_px=bent.shoulders_px + aside)
    hips_apart = replace(bent, hips_px=bent.hips_px + aside, top_px=bent.top_px + aside)
    for other in (shoulders_apart, hips_apart):
        assert [one.score for one in merge([other, first])] == [0.9, 0.7]


def test_a_joint_moves_to_the_middle_of_the_heat_around_it():
    heat = np.full((64, 64, 2), -20, np.float32)
    heat[20, 31:33, 0] = 20  # half a cell right of column 31
    points = np.array([[30.2 / 64, 20.4 / 64], [10 / 64, 10 / 64]], np.float32)
    made = refine(points, heat)
    np.testing.assert_allclose(made[0] * 64, (31.5, 20), atol=1e-3)
    np.testing.assert_allclose(made[1], points[1])  # where there is no heat


def landmarks_at(x, side=200.0):
    xy = np.full((35, 2), 100, np.float32)
    xy[:, 0] = x
    xy[34, 1] = 0
    sure = np.ones(33, np.float32)
    return Landmarks(xy, sure, sure, 1.0, Region(100, 100, side))


def test_the_filter_steadies_rest_and_follows_motion():
    rng = np.random.default_rng(0)
    still, smooth = LandmarkFilter(), []
    for number in range(60):
        smooth.append(still(landmarks_at(100 + rng.normal(0, 0.3)), number / 30).xy_px[0, 0])
    assert np.std(smooth[20:]) < 0.2
    moving = LandmarkFilter()
    last = [moving(landmarks_at(100 + 400 * n / 30), n / 30).xy_px[0, 0] for n in range(30)][-1]
    assert 100 + 400 * 29 / 30 - last < 400 / 30  # less than a frame behind


def test_the_filter_begins_anew_after_a_gap():
    made = LandmarkFilter()
    made(landmarks_at(100), 0.0)
    assert made(landmarks_at(300), 5.0).xy_px[0, 0] == 300


def test_trunk_colours_are_of_the_trunk_alone():
    frame = np.zeros((200, 200, 3), np.uint8)
    frame[60:140, 70:130] = (10, 200, 50)
    xy = np.zeros((33, 2), np.float32)
    for side, x in (("left", 125), ("right", 75)):
        xy[MEDIAPIPE_33.index(f"{side}_shoulder")], xy[MEDIAPIPE_33.index(f"{side}_hip")] = (x, 65), (x, 135)
    colours = trunk_colours(frame, xy, np.ones(33, np.float32))
    np.testing.assert_allclose(colours, np.tile(np.array([10, 200, 50]) / 255, (5, 1)), atol=1e-3)
    assert difference(colours, colours) == 0
    assert trunk_colours(frame, xy, np.zeros(33, np.float32)) is None


def test_a_covered_body_is_grey_and_the_rest_as_it_was():
    body = (np.array([100, 100], np.float32) + 150 * upright()).astype(np.float32)
    picture = np.full((200, 200, 3), 7, np.uint8)
    cover(picture, [body])
    for joint in ("nose", "left_elbow", "right_hip", "left_ankle"):
        x, y = np.rint(body[MEDIAPIPE_33.index(joint)]).astype(int)
        assert (picture[min(y, 199), x] == 128).all()
    assert (picture[:, :40] == 7).all()
    assert 0.05 < (picture == 128).mean() < 0.4
    untouched = picture.copy()
    cover(picture, [np.full((33, 2), np.nan, np.float32), np.full((33, 2), 1e30, np.float32)])
    np.testing.assert_array_equal(picture, untouched)


def test_colours_of_somebody_half_hidden_are_of_the_half_that_is_seen():
    body = (np.array([100, 100], np.float32) + 150 * upright()).astype(np.float32)
    frame = np.full((200, 200, 3), (10, 200, 50), np.uint8)
    in_front = (body + np.array([24, 0], np.float32)).astype(np.float32)
    cover(frame, [in_front])
    sure = np.ones(33, np.float32)
    own = np.tile(np.array([10, 200, 50], np.float32) / 255, (5, 1))
    assert difference(trunk_colours(frame, body, sure), own) > 0.1
    assert difference(trunk_colours(frame, body, sure, [in_front]), own) < 1e-3
    assert trunk_colours(frame, body, sure, [body]) is None


class TestWithTheNetworks:
    def test_they_are_converted_once_and_kept(self, bundle, tmp_path, monkeypatch):
        monkeypatch.setattr(networks, "cached_path", lambda: tmp_path / "cache" / "b.task")
        first = load_networks(bundle)
        (kept,) = (tmp_path / "cache").iterdir()
        monkeypatch.setattr("pose.tflite_to_onnx.convert", lambda *_: pytest.fail("converted again"))
        again = load_networks(bundle)
        assert (again.detector, again.landmarks) == (first.detector, first.landmarks)
        monkeypatch.undo()
        monkeypatch.setattr(networks, "cached_path", lambda: tmp_path / "cache" / "b.task")
        damaged = bytearray(kept.read_bytes())
        damaged[len(damaged) // 2] ^= 255
        kept.write_bytes(bytes(damaged))
        assert load_networks(bundle).landmarks == first.landmarks
        assert [path.name for path in (tmp_path / "cache").iterdir()] == [kept.name]

    def test_a_cache_that_cannot_be_written_costs_only_time(self, bundle, tmp_path, monkeypatch):
        (tmp_path / "file").write_text("")
        monkeypatch.setattr(networks, "cached_path", lambda: tmp_path / "file" / "b.task")
        assert load_networks(bundle).detector

    def test_a_quality_that_the_bundle_has_or_lacks(self, bundle, tmp_path, monkeypatch):
        monkeypatch.setattr(networks, "cached_path", lambda: tmp_path / "cache" / "b.task")
        with pytest.raises(PoseModelError, match="has no lite network") as error:
            load_networks(bundle, "lite")
        assert "\n" not in str(error.value)
        richer = tmp_path / "richer.task"
        shutil.copy(bundle, richer)
        with zipfile.ZipFile(bundle) as archive, zipfile.ZipFile(richer, "a") as more:
            more.writestr("pose_landmarks_detector_lite.tflite", archive.read(LANDMARKS))
        assert load_networks(richer, "lite").landmarks

    def test_one_person_is_where_mediapipe_has_them(self, bundle):
        ours, theirs = BlazePoseEstimator(bundle), MediaPipeEstimator(bundle)
        demo = DemoSource(paced=False, fps=15)
        for number in range(12):
            frame = demo.read()
            (pose,), (other,) = ours.estimate(frame), theirs.estimate(frame)
            if number > 2:
                size = np.ptp(other.xy_px, axis=0).max()
                gaps = np.linalg.norm(pose.xy_px - other.xy_px, axis=1)[other.confidence > 0.5]
                assert np.median(gaps) < 0.02 * size
                assert np.median(np.abs(pose.confidence - other.confidence)) < 0.05
        theirs.close()

    def test_both_networks_run_on_the_provider_that_was_asked_for(self, bundle, monkeypatch):
        asked = []

        def on(content, provider, where):
            asked.append((provider, where))
            return open_session(content, "cpu", where)

        for module in (detector, landmarks):
            monkeypatch.setattr(module, "open_session", on)
        BlazePoseEstimator(bundle, provider="cuda").close()
        assert asked == [("cuda", "the pose detector"), ("cuda", "the landmark network")]

    def test_the_mirror_image_of_a_person_has_the_same_joints(self, bundle):
        look = LandmarkNetwork(load_networks(bundle).landmarks)
        source = DemoSource(paced=False)
        frame = source.read()
        joints = source.truth(frame.time_s).joints_px
        middle = joints[[MPOSE_13.index("left_hip"), MPOSE_13.index("right_hip")]].mean(axis=0)
        size = float(np.ptp(joints[:, 1]))
        region = Region(float(middle[0]), float(middle[1]), 1.3 * size, 0.1)
        plain, mirrored = look(frame.bgr, region), look(frame.bgr, region, mirrored=True)
        assert min(plain.score, mirrored.score) > 0.9
        gaps = np.linalg.norm(plain.xy_px - mirrored.xy_px, axis=1)
        assert np.median(gaps[:33]) < 0.02 * size
        assert gaps[33:].max() < 0.06 * size
        assert np.median(np.abs(plain.visibility - mirrored.visibility)) < 0.1
        shoulders = mirrored.xy_px[[11, 12], 0]
        assert shoulders[0] - shoulders[1] == pytest.approx(plain.xy_px[11, 0] - plain.xy_px[12, 0], abs=0.03 * size)

    @pytest.mark.parametrize("size", [(64, 64), (3840, 2160), (16, 900)])
    def test_pictures_of_any_size(self, bundle, size):
        estimator = BlazePoseEstimator(bundle, people=3)
        noise = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3)).astype(np.uint8)
        for number, picture in enumerate((noise, np.zeros_like(noise), np.full_like(noise, 255))):
            assert len(estimator.estimate(Frame(picture, number / 30, 0.0, number))) <= 3

    def test_somebody_upside_down_is_no_error(self, bundle):
        estimator = BlazePoseEstimator(bundle, people=2)
        demo = DemoSource(paced=False)
        for number in range(6):
            turned = np.ascontiguousarray(demo.read().bgr[::-1])
            poses = estimator.estimate(Frame(turned, number / 30, 0.0, number))
            assert all(np.isfinite(pose.xy_px).all() for pose in poses)
            assert len({pose.person for pose in poses}) == len(poses)

    def test_nobody_in_an_empty_room(self, bundle):
        room = DemoSource(paced=False).read().bgr.copy()
        room[:, 200:440] = room[:, :240]  # the wall over the person
        coarse = np.random.default_rng(1).integers(60, 200, (6, 8, 3)).astype(np.uint8)
        pattern = np.asarray(cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC), np.uint8)
        for picture in (room, pattern):
            estimator = BlazePoseEstimator(bundle, people=3)
            rng = np.random.default_rng(0)
            for number in range(15):  # every part of the picture was looked at
                noisy = np.clip(picture + rng.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)
                assert estimator.estimate(Frame(noisy, number / 30, 0.0, number)) == ()
