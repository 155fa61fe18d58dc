"""What a job's output tells of its progress, with nothing to change in the script.

`lines` cuts the output as a screen would show it, `sightings` says what one line shows, `totals` what was announced,
`counters` follows each counter, and `reader` chooses the one that counts the whole job, or none: a wrong progress is
worse than none. A keeper imports this package while a job runs, so it is standard library only, and without
dataclasses, which would cost every keeper two megabytes.
"""

from rota.forecast.outputs.reader import Reader

__all__ = ["Reader"]
