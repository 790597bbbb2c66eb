"""What every Python worker here does with a job: it writes down what it got, and when."""

import asyncio
import json
import os
import time

# Far longer than any time limit that is tried.
LONG_S = 30


def write(line):
    # One write a line, appended: several processes may write at once.
    with open(os.environ["RECORD"], "ab", buffering=0) as out:
        out.write(json.dumps(line).encode() + b"\n")


def begin(kind, n, text, thing, due, named, **more):
    """Writes the job down; raises if it is one that is to fail, and says whether it is to be slow."""
    line = {"kind": kind, "n": n, "text": text, "thing": thing, "due": due, "named": named}
    line["at_ms"] = time.time() * 1000
    write(dict(line, **more))
    if kind.startswith("fail"):
        raise RuntimeError("asked to fail")
    return kind.startswith("slow"), line


def ended(line, how):
    # One that is killed may or may not live to see it.
    if how == "_cut" and line["kind"] == "slow_hard":
        return
    write(dict(line, kind=line["kind"] + how, at_ms=time.time() * 1000))


def record(kind, n, text, thing, due, more=None, **named):
    slow, line = begin(kind, n, text, thing, due, named, **(more or {}))
    if not slow:
        return
    try:
        until = time.monotonic() + LONG_S
        while time.monotonic() < until:
            time.sleep(0.01)
    except BaseException:
        ended(line, "_cut")
        raise
    ended(line, "_done")


async def record_async(kind, n, text, thing, due, more=None, **named):
    slow, line = begin(kind, n, text, thing, due, named, **(more or {}))
    if not slow:
        return
    try:
        await asyncio.sleep(LONG_S)
    except BaseException:
        ended(line, "_cut")
        raise
    ended(line, "_done")


def waited(wait_ms):
    """Writes down how long a job waited, as the framework itself keeps it."""
    write({"wait_ms": wait_ms})
