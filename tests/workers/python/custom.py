"""The worker of a house format: a hash for each job, and its key in a list."""

import json
import os

import redis
from record import record

server = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
while True:
    _, key = server.brpop("work")
    job = json.loads(server.hget(key, "data"))
    server.delete(key)
    record(job["kind"], job["n"], job["text"], job["thing"], job["due"])
