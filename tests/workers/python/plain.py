"""Workers of plain lists, streams, sorted sets and channels, as people write them by hand."""

import json
import os
import sys
import time

import redis
from record import record, waited

how = sys.argv[1]
server = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)


def take(text):
    job = json.loads(text)
    record(job["kind"], job["n"], job["text"], job["thing"], job["due"])


if how == "list":
    while True:
        take(server.brpop("work")[1])
elif how == "right":
    while True:
        take(server.blpop("work")[1])
elif how == "stream":
    held = []
    while True:
        for _, entries in server.xreadgroup("workers", "one", {"work": ">"}, count=10, block=100):
            for entry, job in entries:
                if job["kind"] == "pick":
                    # Kept in hand, so that everybody may look at it; when it was delivered the server knows.
                    both = server.pipeline()
                    both.time()
                    both.xpending_range("work", "workers", entry, entry, 1)
                    (seconds, micros), [pending] = both.execute()
                    delivered_ms = seconds * 1000 + micros / 1000 - pending["time_since_delivered"]
                    waited(delivered_ms - int(entry.split("-")[0]))
                    held.append(entry)
                record(job["kind"], int(job["n"]), job["text"], json.loads(job["thing"]), job["due"])
                if job["kind"] != "pick":
                    server.xack("work", "workers", entry)
        if held and server.exists("let go"):
            server.xack("work", "workers", *held)
            held = []
elif how == "delayed":
    while True:
        for member in server.zrangebyscore("work", "-inf", time.time(), start=0, num=100):
            if server.zrem("work", member):
                take(json.dumps(json.loads(member)["data"]))
        time.sleep(0.01)
elif how == "pubsub":
    channel = server.pubsub()
    channel.subscribe("work")
    for message in channel.listen():
        if message["type"] == "message":
            take(message["data"])
