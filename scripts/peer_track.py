"""Receives what `effigy track` plays and validates what it writes; see scripts/peer-track."""

import csv
import json
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from pylivelinkface import PyLiveLinkFace
from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer

VALIDATE = """
const validator = require('gltf-validator');
const bytes = new Uint8Array(require('fs').readFileSync(process.argv[1]));
validator.validateBytes(bytes).then(report => console.log(JSON.stringify(report.issues)));
"""


def heard_and_written(program: str, clip: str, folder: Path):
    """Frames as the receiver hears them, and as the CSV has them."""
    frames, current = [], {}

    def weight(_address, name, value):
        current[name] = value

    def apply(_address):
        frames.append(dict(current))
        current.clear()

    dispatcher = Dispatcher()
    dispatcher.map("/VMC/Ext/Blend/Val", weight)
    dispatcher.map("/VMC/Ext/Blend/Apply", apply)
    bones = []
    dispatcher.map("/VMC/Ext/Bone/Pos", lambda _address, *args: bones.append(args))
    server = BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    port = server.server_address[1]
    command = [program, "track", clip, "--vmc", f"127.0.0.1:{port}"]
    for ending in ("csv", "glb"):
        command += ["-o", str(folder / f"take.{ending}")]
    subprocess.run(command, check=True)
    server.shutdown()
    with open(folder / "take.csv", newline="") as file:
        return frames, bones, list(csv.DictReader(file))


def live_link(program: str, clip: str):
    """The 61 numbers of each frame, as a receiver of Live Link hears them."""
    heard = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(0.5)
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        playing = subprocess.Popen([program, "track", clip, "--live-link", address])
        while True:
            try:
                has_face, face = PyLiveLinkFace.decode(listening.recv(2048))
                if has_face:
                    heard.append(face._blend_shapes)
            except TimeoutError:
                if playing.poll() is not None:
                    break
    if playing.returncode != 0:
        sys.exit(f"{program} track --live-link ended with {playing.returncode}")
    return heard


def issues(glb: Path, home: Path):
    """What Khronos' validator says."""
    run = subprocess.run(
        ["node", "-e", VALIDATE, str(glb.resolve())],
        cwd=home, check=True, capture_output=True, text=True,
    )
    return json.loads(run.stdout)


def main():
    program, clip, home = str(Path(sys.argv[1]).resolve()), sys.argv[2], Path(sys.argv[3])
    with tempfile.TemporaryDirectory() as folder:
        frames, bones, rows = heard_and_written(program, clip, Path(folder))
        found = issues(Path(folder) / "take.glb", home)
    linked = live_link(program, clip)
    wrong = []
    if not len(rows) >= len(linked) >= 0.98 * len(rows):
        wrong.append(f"{len(linked)} frames were heard by Live Link of {len(rows)}")
    if len(linked) == len(rows):
        written = [[float(value) for value in list(row.values())[2:]] for row in rows]
        gap = max(abs(a - b) for one, other in zip(linked, written) for a, b in zip(one, other))
        if gap > 1e-5:
            wrong.append(f"a number was heard by Live Link {gap} off the CSV")
    if not len(rows) >= len(frames) >= 0.98 * len(rows):
        wrong.append(f"{len(frames)} frames were heard of {len(rows)}")
    if any(len(frame) != 52 for frame in frames):
        wrong.append("a frame had other than 52 coefficients")
    if len(frames) == len(rows):
        gaps = [
            abs(value - float(row[name]))
            for frame, row in zip(frames, rows) for name, value in frame.items()
        ]
        if max(gaps) > 1e-5:
            wrong.append(f"a coefficient was heard {max(gaps)} off the CSV")
    unit = [abs(sum(c * c for c in args[4:8]) - 1) for args in bones]
    if len(bones) != 3 * len(frames) or max(unit) > 1e-4:
        wrong.append("head and eyes are not three unit quaternions a frame")
    if found["numErrors"] or found["numWarnings"]:
        wrong.append(f"the validator complains: {found['messages']}")
    print(
        f"heard {len(frames)} of {len(rows)} frames, {len(bones)} bones; by Live Link"
        f" {len(linked)}; GLB:"
        f" {found['numErrors']} errors, {found['numWarnings']} warnings"
    )
    for line in wrong:
        print("WRONG:", line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
