"""Runs both programs in turns and prints the table; see compare-speed."""

import json
import subprocess
import sys
import tempfile

rounds, clips = int(sys.argv[1]), sys.argv[2:]


def peer(clip):
    line = subprocess.run(
        [sys.executable, "scripts/peer-mediapipe", clip],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ).stdout
    result = json.loads(line)
    return result["frames"], result["secs"]


def ours(clip):
    with tempfile.TemporaryDirectory() as folder:
        line = subprocess.run(
            ["target/release/effigy", "faces", "--json", "-o", folder, clip],
            check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        ).stdout
    result = json.loads(line)
    return result["frames"], result["secs"]


def size(clip):
    import cv2

    video = cv2.VideoCapture(clip)
    return tuple(int(video.get(which)) for which in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))


rows = []
print(f"{'clip':<28}{'size':>11}{'frames':>8}{'effigy':>10}{'MediaPipe':>11}{'ratio':>7}")
for clip in clips:
    best = {"effigy": 0.0, "mediapipe": 0.0}
    frames = 0
    for _ in range(rounds):
        for name, run in (("effigy", ours), ("mediapipe", peer)):
            frames, secs = run(clip)
            best[name] = max(best[name], frames / secs)
    width, height = size(clip)
    ratio = best["effigy"] / best["mediapipe"]
    name = clip.rsplit("/", 1)[-1]
    print(
        f"{name:<28}{f'{width}x{height}':>11}{frames:>8}"
        f"{best['effigy']:>8.0f}/s{best['mediapipe']:>9.0f}/s{ratio:>6.2f}x", flush=True
    )
    rows.append({"clip": name, "width": width, "height": height, "frames": frames, **best, "ratio": ratio})
print(json.dumps({"frames_per_sec": rows}))
