"""The Python frameworks' own clients, asked for many jobs at once: `bulk.py celery|rq JOBS`.

It prints seconds and processor seconds of the sending alone, without the start of the interpreter."""

import os
import sys
import time

framework, jobs = sys.argv[1], int(sys.argv[2])
CHUNK = 1000
users = ["ann", "bo", "cy"]


def timed(send):
    wall, used = time.perf_counter(), time.process_time()
    send()
    print(time.perf_counter() - wall, time.process_time() - used)


if framework == "celery":
    from celery import Celery

    app = Celery("jobs", broker=os.environ["REDIS_URL"])
    app.conf.task_ignore_result = True

    @app.task(name="jobs.order")
    def order(number, user):
        pass

    def send():
        # One connection and one producer for all of them, as celery's own guide has it for many tasks.
        with app.producer_pool.acquire(block=True) as producer:
            for number in range(jobs):
                order.apply_async((number, users[number % 3]), producer=producer)

    order.apply_async((0, "warm"))
    timed(send)
elif framework == "rq":
    import redis
    from rq import Queue

    queue = Queue("bulk", connection=redis.Redis.from_url(os.environ["REDIS_URL"]))

    def send():
        for first in range(0, jobs, CHUNK):
            chunk = [
                Queue.prepare_data("jobs.order", (number, users[number % 3]))
                for number in range(first, min(first + CHUNK, jobs))
            ]
            with queue.connection.pipeline() as pipe:
                queue.enqueue_many(chunk, pipeline=pipe)
                pipe.execute()

    queue.enqueue_many([Queue.prepare_data("jobs.order", (0, "warm"))])
    timed(send)
