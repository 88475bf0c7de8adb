"""Prints how the errors of two trainings fell: a table, then one JSON line."""

import json
import sys


def history(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)["history"]


def error_at(moments, minute):
    """The error at the last save up to a minute."""
    before = [m for m in moments if m["spent_secs"] <= 60 * minute + 10]
    return before[-1]["validation_error"], before[-1]["step"]


def main():
    base, nothing = history(sys.argv[1]), history(sys.argv[2])
    minutes = round(base[-1]["spent_secs"] / 60)
    rows = []
    print("minutes   from the base     from nothing")
    for minute in range(minutes + 1):
        (a, step_a), (b, step_b) = error_at(base, minute), error_at(nothing, minute)
        rows.append({"minutes": minute, "base": a, "nothing": b})
        print(f"{minute:7}   {a:.3f} ({step_a:4})     {b:.3f} ({step_b:4})")
    print(json.dumps(rows))


main()
