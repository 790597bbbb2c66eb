import os

from huey import RedisHuey
from record import record as write_down

huey = RedisHuey("work", url=os.environ["REDIS_URL"], results=False)


@huey.task(name="record")
def record(*args, **named):
    write_down(*args, **named)
