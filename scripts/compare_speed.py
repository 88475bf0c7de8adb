"""Runs both programs in turns and prints the table; see compare-speed."""

import json
import resource
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
    return result["frames"], result["secs"], result["cpu_secs"]


def ours(clip):
    start = processor_secs()
    with tempfile.TemporaryDirectory() as folder:
        line = subprocess.run(
            ["target/release/effigy", "faces", "--json", "-o", folder, clip],
            check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        ).stdout
    result = json.loads(line)
    return result["frames"], result["secs"], processor_secs() - start


def processor_secs():
    """Of all programs that were run so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def size(clip):
    import cv2

    video = cv2.VideoCapture(clip)
    return tuple(int(video.get(which)) for which in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))


rows = []
print(f"{'clip':<28}{'size':>11}{'frames':>8}{'effigy':>10}{'MediaPipe':>11}{'ratio':>7}  processor ms a frame")
for clip in clips:
    best = {"effigy": 0.0, "mediapipe": 0.0}
    cpu = {"effigy": float("inf"), "mediapipe": float("inf")}
    frames = 0
    for _ in range(rounds):
        for name, run in (("effigy", ours), ("mediapipe", peer)):
            frames, secs, cpu_secs = run(clip)
            cpu[name] = min(cpu[name], 1000 * cpu_secs / frames)
            best[name] = max(best[name], frames / secs)
    width, height = size(clip)
    ratio = best["effigy"] / best["mediapipe"]
    name = clip.rsplit("/", 1)[-1]
    print(
        f"{name:<28}{f'{width}x{height}':>11}{frames:>8}"
        f"{best['effigy']:>8.0f}/s{best['mediapipe']:>9.0f}/s{ratio:>6.2f}x  {cpu['effigy']:.1f} to {cpu['mediapipe']:.1f}", flush=True
    )
    rows.append({"clip": name, "width": width, "height": height, "frames": frames, **best, "ratio": ratio, "cpu_millis": cpu})
print(json.dumps({"frames_per_sec": rows}))
