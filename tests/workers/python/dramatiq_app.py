import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from record import record as write_down

dramatiq.set_broker(RedisBroker(url=os.environ["REDIS_URL"]))


@dramatiq.actor(queue_name="work")
def record(*args, **named):
    write_down(*args, **named)
