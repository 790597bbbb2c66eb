"""What every Python worker here does with a job: it writes down what it got, and when."""

import json
import os
import time


def record(kind, n, text, thing, due, **named):
    line = {"kind": kind, "n": n, "text": text, "thing": thing, "due": due, "named": named}
    line["at_ms"] = time.time() * 1000
    # One write a line, appended: several processes may write at once.
    with open(os.environ["RECORD"], "ab", buffering=0) as out:
        out.write(json.dumps(line).encode() + b"\n")
    if kind == "fail":
        raise RuntimeError("asked to fail")
