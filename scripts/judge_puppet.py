#!/usr/bin/env python3
"""Asks judges that we did not train how well a portrait was moved.

usage: judge_puppet.py PORTRAIT DRIVER PUPPET [TRUTH]

Prints how far the puppet's face is from the portrait's and from the driver's (dlib's recogniser: two
pictures show one person below about 0.6), how much it flickers against the driver, and, where the truth
is given, how far its 68 points are from the truth's (MediaPipe's mesh). scripts/judge-puppet sets up what
it needs.
"""

import os
import sys

os.environ["GLOG_minloglevel"] = "3"

import cv2
import dlib
import face_recognition_models as models
import mediapipe
import numpy as np

# Every fifth frame is shown to the recogniser.
EVERY = 5
NEAR = 0.5
SIDE_PX = 160
OUTER_CORNERS = (33, 263)
# iBUG's 68 points in MediaPipe's numbering, as crates/face/src/ibug68.rs has them.
JAW = (127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356)
BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
NOSE = (168, 197, 5, 4, 98, 97, 2, 326, 327)
EYES = (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380)
OUTER_LIPS = (61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181)
INNER_LIPS = (78, 82, 13, 312, 308, 317, 14, 87)
POINTS = JAW + BROWS + NOSE + EYES + OUTER_LIPS + INNER_LIPS

align = dlib.shape_predictor(models.pose_predictor_five_point_model_location())
recognise = dlib.face_recognition_model_v1(models.face_recognition_model_location())


def frames(path):
    clip = cv2.VideoCapture(path)
    while True:
        read, frame = clip.read()
        if not read:
            return
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)


def mesh_of(mesh, picture):
    """478 points in pixels, or None."""
    faces = mesh.process(picture).multi_face_landmarks
    if not faces:
        return None
    height, width = picture.shape[:2]
    return np.array([(p.x * width, p.y * height) for p in faces[0].landmark])


def identity(picture, points):
    low, high = points.min(axis=0), points.max(axis=0)
    box = dlib.rectangle(*(int(v) for v in (*low, *high)))
    return np.array(recognise.compute_face_descriptor(picture, align(picture, box)))


def crop(picture, points):
    """The face, upright and of one size, as brightness."""
    left, right = points[list(OUTER_CORNERS)]
    across = right - left
    scale = 0.5 * SIDE_PX / max(np.hypot(*across), 1.0)
    turn = np.arctan2(across[1], across[0])
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    matrix = np.array([[cos, sin, 0.0], [-sin, cos, 0.0]])
    middle = matrix[:, :2] @ ((left + right) / 2)
    matrix[:, 2] = np.array([0.5, 0.4]) * SIDE_PX - middle
    seen = cv2.warpAffine(picture, matrix, (SIDE_PX, SIDE_PX), flags=cv2.INTER_AREA)
    return cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY).astype(np.float32)


class Clip:
    """Points, brightness and identities of a clip, frame by frame."""

    def __init__(self, path, most=None):
        mesh = mediapipe.solutions.face_mesh.FaceMesh(refine_landmarks=True)
        self.points, self.crops, self.identities = [], [], {}
        self.width = 1
        for number, picture in enumerate(frames(path)):
            if most is not None and most <= number:
                break
            self.width = picture.shape[1]
            points = mesh_of(mesh, picture)
            self.points.append(points)
            self.crops.append(None if points is None else crop(picture, points))
            if points is not None and number % EVERY == 0:
                self.identities[number] = identity(picture, points)
        mesh.close()
        if not self.identities:
            sys.exit(f"no face was found in {path}")

    def unrest(self, number):
        """How much a frame differs from the mean of its neighbours; None at gaps."""
        three = self.crops[number - 1 : number + 2]
        if len(three) < 3 or any(each is None for each in three):
            return None
        before, now, after = three
        return np.abs(now - (before + after) / 2).mean()


def flicker(driver, puppet):
    """The puppet's unrest over the driver's, in the calmer half of the driver's frames."""
    both = [(driver.unrest(n), puppet.unrest(n)) for n in range(1, len(puppet.crops) - 1)]
    both = np.array([pair for pair in both if None not in pair])
    if len(both) < 4:
        return float("nan")
    calm = both[both[:, 0] <= np.median(both[:, 0])]
    return np.median(calm[:, 1]) / np.median(calm[:, 0])


def main(portrait, driver, puppet, truth=None):
    person = next(iter(Clip(portrait, 1).identities.values()))
    puppet = Clip(puppet)
    driver = Clip(driver, len(puppet.crops))
    mover = np.mean(list(driver.identities.values()), axis=0)
    to_person, to_mover = (
        np.array([np.linalg.norm(each - one) for each in puppet.identities.values()])
        for one in (person, mover)
    )
    print(
        f"judge: {np.mean(to_person < NEAR):.1%} of {len(to_person)} faces nearer than {NEAR} to the portrait, "
        f"{np.mean(to_person < to_mover):.1%} nearer to it than to the driver "
        f"(mean distances {to_person.mean():.3f}, {to_mover.mean():.3f})"
    )
    print(f"judge: flicker {flicker(driver, puppet):.2f} times the driver's own")
    if truth is None:
        return
    truth = Clip(truth, len(puppet.crops))
    off = []
    for drawn, right in zip(puppet.points, truth.points):
        if drawn is None or right is None:
            continue
        right = right * puppet.width / truth.width
        unit = np.hypot(*np.subtract(*right[list(OUTER_CORNERS)]))
        off.append(np.linalg.norm(drawn - right, axis=1)[list(POINTS)].mean() / unit)
    missed = sum(points is None for points in puppet.points)
    print(
        f"judge: 68 points {np.mean(off):.1%} of the eye distance from the truth's in {len(off)} frames; "
        f"no face in {missed}"
    )


main(*sys.argv[1:])
