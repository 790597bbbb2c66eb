import json
import os

from arq.connections import RedisSettings
from record import record as write_down


async def record(ctx, *args, **named):
    write_down(*args, **named)


class WorkerSettings:
    functions = [record]
    redis_settings = RedisSettings.from_dsn(os.environ["REDIS_URL"])
    queue_name = "work"
    poll_delay = 0.05
    max_tries = 1


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
