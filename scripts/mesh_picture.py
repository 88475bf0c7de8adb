#!/usr/bin/env python3
"""Draws docs/mesh.svg: our mean mesh, seen from the front and turned by 40 degrees.

Run in the root of the workspace: python3 scripts/mesh_picture.py
"""

import math
import struct
from pathlib import Path

SIDE = 360  # of one view, in pixels


def read_mesh(path):
    data = Path(path).read_bytes()
    values = struct.unpack(f"<{len(data) // 4}f", data)
    return [values[i : i + 3] for i in range(0, len(values), 3)]


def turned(points, yaw_degrees):
    c, s = math.cos(math.radians(yaw_degrees)), math.sin(math.radians(yaw_degrees))
    return [(c * x + s * z, y, c * z - s * x) for x, y, z in points]


def triangles(points):
    """Delaunay triangulation of the plane (Bowyer and Watson, 1981)."""
    points = list(points) + [(-50.0, -50.0), (50.0, -50.0), (0.0, 50.0)]
    n = len(points) - 3
    found = {(n, n + 1, n + 2): circle(points, n, n + 1, n + 2)}
    for i in range(n):
        x, y = points[i]
        hit = [t for t, (cx, cy, r2) in found.items() if (x - cx) ** 2 + (y - cy) ** 2 < r2]
        edges = {}
        for a, b, c in hit:
            for edge in ((a, b), (b, c), (a, c)):
                key = tuple(sorted(edge))
                edges[key] = edges.get(key, 0) + 1
            del found[(a, b, c)]
        for (a, b), times in edges.items():
            if times == 1:
                found[(a, b, i)] = circle(points, a, b, i)
    return [t for t in found if max(t) < n]


def circle(points, a, b, c):
    (ax, ay), (bx, by), (cx, cy) = points[a], points[b], points[c]
    d = 2 * (ax * (by - cy) + bx * (cy - ay) + cx * (ay - by)) or 1e-12
    sa, sb, sc = ax * ax + ay * ay, bx * bx + by * by, cx * cx + cy * cy
    x = (sa * (by - cy) + sb * (cy - ay) + sc * (ay - by)) / d
    y = (sa * (cx - bx) + sb * (ax - cx) + sc * (bx - ax)) / d
    return x, y, (ax - x) ** 2 + (ay - y) ** 2


def view(points, edges, left):
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    scale = 0.9 * SIDE / (max(ys) - min(ys))
    middle = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2

    def place(i):
        x = left + SIDE / 2 + scale * (points[i][0] - middle[0])
        return f"{x:.0f},{SIDE / 2 + scale * (points[i][1] - middle[1]):.0f}"

    return "".join(f"M{place(a)} {place(b)}" for a, b in edges)


def main():
    mesh = read_mesh("crates/model/weights/mean-mesh.f32")
    found = triangles([(x, y) for x, y, _ in mesh[:468]])
    length = lambda a, b: math.dist(mesh[a], mesh[b])
    edges = {tuple(sorted(e)) for a, b, c in found for e in ((a, b), (b, c), (a, c))}
    edges = sorted(e for e in edges if length(*e) < 0.4)
    paths = [view(turned(mesh, yaw), edges, left) for yaw, left in ((0, 0), (40, SIDE))]
    Path("docs/mesh.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * SIDE} {SIDE}">'
        "<title>The mean face mesh, from the front and turned</title>"
        f'<rect width="{2 * SIDE}" height="{SIDE}" rx="12" fill="#12161c"/>'
        '<g fill="none" stroke="#5fd0b8" stroke-width=".7" stroke-linecap="round">'
        + "".join(f'<path d="{path}"/>' for path in paths)
        + "</g></svg>\n"
    )


if __name__ == "__main__":
    main()
