"""Runs both trainings in turns and prints the table; see compare-training."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

rounds, steps = int(sys.argv[1]), int(sys.argv[2])
ACTORS = Path("testdata/actors")
SHORT = 8  # steps of a run whose time is taken off, for what happens once


def effigy(home, *words):
    """Runs effigy; gives its peak memory in MiB and its processor time in seconds."""
    out = subprocess.PIPE
    program = subprocess.Popen(["target/release/effigy", *words, "--home", home], stdout=out, stderr=out)
    said = program.stderr.read()
    _, status, usage = os.wait4(program.pid, 0)
    if status != 0:
        sys.exit(f"effigy {' '.join(words)}: {said.decode()}")
    return usage.ru_maxrss // 1024, usage.ru_utime + usage.ru_stime


def trained(home, model, n):
    """Trains up to step `n` afresh; gives seconds of training, peak memory and processor time."""
    peak, cpu_secs = effigy(
        home, "train", "--person", "ada", str(ACTORS / "ada-2.mp4"), "--person", "ben",
        str(ACTORS / "ben-2.mp4"), "-o", str(model), "--steps", str(n),
    )
    newest = json.loads((model / "model.json").read_text())["checkpoints"][0]
    return newest["spent_secs"], peak, cpu_secs


def ours(home, place):
    short, _, short_cpu = trained(home, place / "short.model", SHORT)
    long, peak, long_cpu = trained(home, place / "long.model", SHORT + steps)
    cpu_secs = (long_cpu - short_cpu) / steps
    return {"steps_per_sec": steps / (long - short), "cpu_secs": cpu_secs, "peak_mib": peak}


def theirs():
    line = subprocess.run(
        [sys.executable, "scripts/peer-pytorch", str(steps)], check=True, stdout=subprocess.PIPE
    ).stdout
    return json.loads(line)


def best(results):
    return max(results, key=lambda result: result["steps_per_sec"])


with tempfile.TemporaryDirectory() as folder:
    home = folder + "/home"
    for name in ["ada", "ben"]:
        clip = str(ACTORS / f"{name}-2.mp4")
        about = ["--subject", name, "--basis", "synthetic", "--use", "swap"]
        effigy(home, "consent", "new", *about, clip)
    results = {"effigy": [], "pytorch": []}
    for round in range(rounds):
        place = Path(folder) / str(round)
        place.mkdir()
        results["effigy"].append(ours(home, place))
        results["pytorch"].append(theirs())
    row = {name: best(all) for name, all in results.items()}

print(f"{'':10} {'steps/s':>8} {'faces/s':>8} {'cpu s/step':>10} {'peak memory':>12}")
for name, result in row.items():
    speed = result["steps_per_sec"]
    print(f"{name:10} {speed:8.2f} {16 * speed:8.0f} {result['cpu_secs']:10.2f} {result['peak_mib']:8} MiB")
ratio = row["effigy"]["steps_per_sec"] / row["pytorch"]["steps_per_sec"]
print(f"{ratio:.2f} times PyTorch's steps a second")
print(json.dumps({"at": int(time.time()), "ratio": ratio, **row}))
