"""All that a worker may need, imported once in the process that workers are forked from."""

from apache_beam.runners.worker import sdk_worker_main

from beam_jobs import decide, measure, publish

__all__ = ["decide", "measure", "publish", "sdk_worker_main"]
