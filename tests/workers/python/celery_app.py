import os

from celery import Celery
from record import record

app = Celery("jobs", broker=os.environ["REDIS_URL"])
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options={"queue_order_strategy": "priority", "priority_steps": [0, 3, 6, 9]},
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
)


@app.task(name="jobs.record")
def recorded(*args, **named):
    record(*args, **named)
