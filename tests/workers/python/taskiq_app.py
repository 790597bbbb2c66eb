import os

from record import record_async
from taskiq import SimpleRetryMiddleware
from taskiq_redis import ListQueueBroker, RedisStreamBroker

Broker = RedisStreamBroker if os.environ.get("STREAM") else ListQueueBroker
broker = Broker(os.environ["REDIS_URL"], queue_name="work")
broker = broker.with_middlewares(SimpleRetryMiddleware())


@broker.task(task_name="jobs:record")
async def record(*args, **named):
    await record_async(*args, **named)
