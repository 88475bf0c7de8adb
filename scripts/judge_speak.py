#!/usr/bin/env python3
"""Asks judges that we did not write whether a portrait speaks as a person does.

usage: judge_speak.py REAL SPEAKS [REAL SPEAKS ...]

REAL is a clip of the GRID corpus, whose name tells the sentence; SPEAKS is a portrait that speaks its
sound. MediaPipe's mesh measures the lips, pocketsphinx aligns the phones with the sentence. Prints, for
the real clips and for the portraits: in how many of M, B and P lips meet, how much the mouth moves while
nobody speaks, and how the opening follows the loudness. scripts/judge-speak sets up what it needs.
"""

import os
import sys

os.environ["GLOG_minloglevel"] = "3"

import av
import mediapipe
import numpy as np
import pocketsphinx

RATE_HZ = 16000
# Lips are together when they are less apart than this share of the mouth's width.
CLOSED = 0.05
# Phones begin and end within some hundredths of a second.
AROUND_SECS = 0.04
LAGS = range(-5, 6)
COMMANDS = {"b": "bin", "l": "lay", "p": "place", "s": "set"}
COLOURS = {"b": "blue", "g": "green", "r": "red", "w": "white"}
PLACES = {"a": "at", "b": "by", "i": "in", "w": "with"}
DIGITS = dict(zip("z123456789", "zero one two three four five six seven eight nine".split()))
ENDS = {"a": "again", "n": "now", "p": "please", "s": "soon"}
UPPER, LOWER, RIGHT, LEFT = 13, 14, 61, 291


def sentence(path):
    code = os.path.splitext(os.path.basename(path))[0][-6:]
    words = [COMMANDS[code[0]], COLOURS[code[1]], PLACES[code[2]], code[3], DIGITS[code[4]], ENDS[code[5]]]
    return " ".join(words)


def samples(path):
    clip = av.open(path)
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    blocks = [out.to_ndarray()[0] for frame in clip.decode(audio=0) for out in resampler.resample(frame)]
    return np.concatenate(blocks)


def phones(decoder, sound, text):
    """Names, beginnings and ends in seconds."""

    def run():
        decoder.start_utt()
        decoder.process_raw(sound.tobytes(), full_utt=True)
        decoder.end_utt()

    decoder.set_align_text(text)
    run()
    decoder.set_alignment()
    run()
    found = []
    for word in decoder.get_alignment():
        found += [(p.name, p.start * 0.01, (p.start + p.duration) * 0.01) for p in word]
    return found


def openings(path, mesh):
    """Times, and the gap between the lips as a share of the mouth's width."""
    clip = av.open(path)
    times, gaps = [], []
    for frame in clip.decode(video=0):
        picture = frame.to_ndarray(format="rgb24")
        faces = mesh.process(picture).multi_face_landmarks
        height, width = picture.shape[:2]
        if not faces:
            continue
        at = lambda i: np.array([faces[0].landmark[i].x * width, faces[0].landmark[i].y * height])
        gap = np.linalg.norm(at(UPPER) - at(LOWER)) / np.linalg.norm(at(RIGHT) - at(LEFT))
        times.append(frame.time - (clip.streams.video[0].start_time or 0) * clip.streams.video[0].time_base)
        gaps.append(gap)
    return np.array(times, float), np.array(gaps)


def follows(times, gaps, sound):
    """The best correlation of opening and loudness, and at how many frames' lag it is."""
    step = RATE_HZ // 100
    power = np.array([np.mean(sound[max(0, i - step):i + step].astype(float) ** 2) for i in range(0, len(sound), step)])
    level = np.log10(power + 10.0)

    def quick(values):
        soft = np.convolve(np.pad(values, 10, "edge"), np.ones(21) / 21, "valid")
        return values - soft

    found = []
    for lag in LAGS:
        heard = np.interp(times + lag * 0.04, np.arange(len(level)) * 0.01, level)
        found.append((np.corrcoef(quick(heard), quick(gaps))[0, 1], lag))
    return max(found)


def main(paths):
    decoder = pocketsphinx.Decoder(loglevel="FATAL")
    mesh = mediapipe.solutions.face_mesh.FaceMesh(refine_landmarks=True, max_num_faces=1)
    kinds = {"real": [], "portrait": []}
    for real, speaks in zip(paths[::2], paths[1::2]):
        sound = samples(real)
        said = phones(decoder, sound, sentence(real))
        for kind, path in (("real", real), ("portrait", speaks)):
            times, gaps = openings(path, mesh)
            if not len(times):
                print(f"no face in {path}", file=sys.stderr)
                continue
            meet = [[], []]
            for name, begins, ends in said:
                if name in ("M", "B", "P", "AA", "AE", "AY", "AW"):
                    near = (begins - AROUND_SECS <= times) & (times <= ends + AROUND_SECS)
                    if near.any():
                        is_vowel = name not in "MBP"
                        meet[is_vowel].append(gaps[near].max() if is_vowel else gaps[near].min())
            voiced = [(b, e) for name, b, e in said if name != "SIL"]
            rest = (times < voiced[0][0] - 0.15) | (voiced[-1][1] + 0.25 < times)
            moved = np.abs(np.diff(gaps[rest])).mean() if rest.sum() > 2 else np.nan
            kinds[kind].append((meet, moved, follows(times, gaps, sound)))
    for kind, clips in kinds.items():
        closed = np.concatenate([c[0][0] for c in clips])
        vowels = np.concatenate([c[0][1] for c in clips])
        lags = [c[2][1] for c in clips]
        print(
            f"{kind}: lips meet in {np.mean(closed < CLOSED):.0%} of {len(closed)} M, B and P"
            f" (and stay together through {np.mean(vowels < CLOSED):.0%} of {len(vowels)} open vowels);"
            f" moves in silence {np.nanmean([c[1] for c in clips]):.4f} of the mouth's width a frame;"
            f" opening follows loudness with {np.mean([c[2][0] for c in clips]):.2f},"
            f" within a frame in {np.mean(np.abs(lags) <= 1):.0%} of {len(lags)} clips"
        )


if __name__ == "__main__":
    if len(sys.argv) < 3 or len(sys.argv) % 2 == 0:
        sys.exit(__doc__)
    main(sys.argv[1:])
