#!/usr/bin/env python3
"""Marks a drawn picture and a clip of an actor in every container, and asks the C2PA SDK of each.

scripts/peer-credentials sets up what it needs. Exit code 1: the SDK does not accept one of them.
"""

import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib

import c2pa

# What the SDK says of a signer that it was not told to trust. Anything else is a fault.
UNKNOWN_SIGNER = "signingCredential.untrusted"


def drawn_png(width, height):
    """A PNG of soft waves: a picture of nobody, with room for a watermark."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            rows += bytes([(x + 2 * y) % 160 + 40, (x * y // 90) % 120 + 60, (x ^ y) % 90 + 80])
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def effigy(program, home, *words):
    done = subprocess.run(
        [program, *words], env={**os.environ, "EFFIGY_HOME": home}, capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


def containers(program, home, picture):
    """Every extension that can carry credentials, as the program itself names them."""
    _, _, said = effigy(program, home, "mark", picture, "-o", picture + ".none")
    listed = re.search(r"choose one of (.*)", said)
    if not listed:
        sys.exit(f"effigy does not say what it can write: {said}")
    return listed.group(1).strip().split(", ")


def verdict(path, root=None):
    """State of a file, and what does not hold."""
    context = None
    if root:
        trust = {"trust": {"user_anchors": root}}
        context = c2pa.Context(c2pa.Settings.from_dict(trust))
    report = json.loads(c2pa.Reader(path, context=context).json())
    codes = [status["code"] for status in report.get("validation_status") or []]
    return report["validation_state"], codes


def check(path, root):
    """What the SDK has against a file; None where it accepts it."""
    state, codes = verdict(path)
    if state != "Valid" or codes != [UNKNOWN_SIGNER]:
        return f"{state} as the SDK comes: {codes}"
    state, codes = verdict(path, root)
    if state != "Trusted" or codes:
        return f"{state} with our root: {codes}"
    return None


def main():
    program = os.path.abspath(sys.argv[1])
    clip = os.path.abspath("testdata/actors/ada-1.mp4")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        home, picture = os.path.join(folder, "home"), os.path.join(folder, "drawn.png")
        with open(picture, "wb") as file:
            file.write(drawn_png(320, 240))
        extensions = containers(program, home, picture)
        _, shown, _ = effigy(program, home, "keys", "show")
        root = shown[shown.index("-----BEGIN CERTIFICATE-----") :]
        print(f"C2PA SDK {c2pa.sdk_version()}, {len(extensions)} containers", flush=True)
        for extension in extensions:
            path = os.path.join(folder, f"marked.{extension}")
            for source in (picture, clip):
                code, _, said = effigy(program, home, "mark", source, "-o", path)
                if code == 0:
                    break
            why = check(path, root) if code == 0 else f"not written: {said.strip()}"
            failed += why is not None
            print(f"{extension:5} {why or 'valid; trusted with our root'}", flush=True)
    sys.exit(1 if failed else 0)


main()
