"""Names that workers, engines and the command share; apart from what loads Arrow, which takes a tenth of a second."""

from typing import Final

NAMESPACE: Final = "cleartitle"
"""Of counters, and of the loggers of what is told; those of the stages, `cleartitle.<stage>`, are below it."""
