from record import record as write_down
from record import waited
from rq import get_current_job


def record(*args, **named):
    job = get_current_job()
    if args[0] == "pick":
        waited((job.started_at - job.enqueued_at).total_seconds() * 1000)
    write_down(*args, more={"id": job.id}, **named)
