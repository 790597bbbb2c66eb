import json
import os

from arq.connections import RedisSettings
from arq.jobs import Job
from record import record_async, waited


async def record(ctx, *args, **named):
    await record_async(*args, **named)


async def done(ctx):
    """What arq keeps of a job once it is done."""
    reads = WorkerSettings.reads if "JSON" in os.environ else None
    job = Job(ctx["job_id"], ctx["redis"], _queue_name="work", _deserializer=reads)
    info = await job.result_info()
    if info.args[0] == "pick":
        waited((info.start_time - info.enqueue_time).total_seconds() * 1000)


class WorkerSettings:
    functions = [record]
    redis_settings = RedisSettings.from_dsn(os.environ["REDIS_URL"])
    queue_name = "work"
    poll_delay = 0.05
    max_tries = 1
    after_job_end = done
    reads = staticmethod(json.loads)


# arq takes the settings of the class itself, not those it inherits.
JsonSettings = type(
    "JsonSettings",
    (),
    dict(
        vars(WorkerSettings),
        job_serializer=staticmethod(lambda value: json.dumps(value, default=str).encode()),
        job_deserializer=staticmethod(json.loads),
    ),
)
