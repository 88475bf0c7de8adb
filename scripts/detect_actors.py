#!/usr/bin/env python3
"""Runs a face mesh that we did not train (mediapipe) on the actors' clips and prints how many
faces it finds, and how far its points are from the truth.

usage: detect_actors.py [FOLDER]      needs: pip install mediapipe==0.10.14 'numpy<2'

Points are compared as a share of the distance between the outer corners of the eyes. mediapipe is
a teacher with habits of its own: the figure says that the truth is where a face mesh expects it,
not which of the two is right.
"""

import json
import sys
from pathlib import Path

import cv2
import mediapipe
import numpy as np

EVERY = 5


def points(folder: Path, name: str, frames: int, people: int) -> np.ndarray:
    rows = cv2.imread(str(folder / f"{name}.points.png"), cv2.IMREAD_GRAYSCALE)
    rows = rows.reshape(frames, people, -1).astype(int)
    coded = rows[..., :1434] + 256 * rows[..., 1434:2868]
    values = (coded >> 1) ^ -(coded & 1)
    values[1] += values[0]
    for n in range(2, frames):
        values[n] += 2 * values[n - 1] - values[n - 2]
    return values.reshape(frames, people, 478, 3) / 8.0


def judge(folder: Path, name: str, mesh) -> tuple[int, int, float]:
    known = json.loads((folder / f"{name}.json").read_text())
    truth = points(folder, name, known["frames"], len(known["people"]))
    clip = cv2.VideoCapture(str(folder / f"{name}.mp4"))
    n_faces = n_found = 0
    errors = []
    for n in range(known["frames"]):
        ok, picture = clip.read()
        if not ok:
            sys.exit(f"{name}: frame {n} cannot be read")
        if n % EVERY:
            continue
        height, width = picture.shape[:2]
        found = mesh.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).multi_face_landmarks or []
        meshes = [np.array([[p.x * width, p.y * height] for p in f.landmark]) for f in found]
        for person in truth[n]:
            n_faces += 1
            eyes = np.linalg.norm(person[33] - person[263])
            gaps = [np.linalg.norm(m - person[:, :2], axis=1).mean() / eyes for m in meshes]
            if gaps and min(gaps) < 0.5:
                n_found += 1
                errors.append(min(gaps))
    return n_faces, n_found, float(np.mean(errors)) if errors else float("nan")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "testdata/actors")
    names = sorted(p.stem for p in folder.glob("*.mp4"))
    if not names:
        sys.exit(f"no clips in {folder}")
    totals = np.zeros(3)
    for name in names:
        options = dict(static_image_mode=True, max_num_faces=4, refine_landmarks=True)
        with mediapipe.solutions.face_mesh.FaceMesh(**options) as mesh:
            n_faces, n_found, error = judge(folder, name, mesh)
        totals += (n_faces, n_found, error * n_found)
        print(f"{name:20} {n_faces:4} faces  found {n_found / n_faces:7.2%}  478 points {error:.2%}")
    n_faces, n_found, error = totals
    print(f"{'all':20} {n_faces:4.0f} faces  found {n_found / n_faces:7.2%}  478 points {error / n_found:.2%}")


main()
