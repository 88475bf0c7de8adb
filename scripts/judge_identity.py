#!/usr/bin/env python3
"""Asks a recogniser that we did not train (dlib's, in the public domain) whose face a swap shows.

usage: judge_identity.py PERSON ORIGINAL SWAP

PERSON is footage of the person drawn, ORIGINAL the clip before the swap, SWAP the clip after it.
Prints in how many frames the swap is nearer to the person than to the original, and the mean
distances; two pictures show one person when their distance is below about 0.6.
scripts/judge-identity sets up what it needs.
"""

import json
import subprocess
import sys

import dlib
import face_recognition_models as models
import numpy as np

EVERY = 5
LONGEST_SIDE = 640

find = dlib.get_frontal_face_detector()
align = dlib.shape_predictor(models.pose_predictor_five_point_model_location())
recognise = dlib.face_recognition_model_v1(models.face_recognition_model_location())


def size(path):
    probe = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-of", "json"]
    shown = subprocess.run([*probe, "-show_entries", "stream=width,height", path], capture_output=True)
    streams = json.loads(shown.stdout or "{}").get("streams")
    if not streams:
        sys.exit(f"{path} cannot be read as a video")
    stream = streams[0]
    scale = min(1.0, LONGEST_SIDE / max(stream["width"], stream["height"]))
    return [2 * round(stream[side] * scale / 2) for side in ("width", "height")]


def vectors(path):
    """The largest face of every fifth frame: frame number and 128 numbers."""
    width, height = size(path)
    command = ["ffmpeg", "-v", "error", "-i", path, "-vf", f"scale={width}:{height}"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as decoder:
        frame = 0
        while len(raw := decoder.stdout.read(width * height * 3)) == width * height * 3:
            if frame % EVERY == 0:
                picture = np.frombuffer(raw, np.uint8).reshape(height, width, 3)
                faces = find(picture, 0)
                if faces:
                    largest = max(faces, key=lambda face: face.area())
                    shape = align(picture, largest)
                    yield frame, np.array(recognise.compute_face_descriptor(picture, shape))
            frame += 1


def main(person, original, swap):
    person, original, swap = (dict(vectors(path)) for path in (person, original, swap))
    if not (person and original and swap):
        sys.exit("no face was found in one of the clips")
    people = [np.mean(list(known.values()), axis=0) for known in (person, original)]
    to_person, to_original = (
        np.array([np.linalg.norm(vector - mean) for vector in swap.values()]) for mean in people
    )
    print(
        f"{np.mean(to_person < to_original):.0%} of {len(swap)} faces nearer to the person drawn: "
        f"distance {to_person.mean():.2f}, to the original {to_original.mean():.2f}; "
        f"the two people are {np.linalg.norm(people[0] - people[1]):.2f} apart"
    )


main(*sys.argv[1:])
