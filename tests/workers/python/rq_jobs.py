from record import record  # noqa: F401  (named by the jobs)
