"""Where a job's output goes: sbatch's patterns in a file's name."""

from __future__ import annotations

import re
from collections.abc import Mapping

#: `%%`, or `%` with a letter and the width to which a number is filled with zeros (sbatch(1), filename pattern).
_SIGN = re.compile(r"%(?:%|(\d{0,2})([A-Za-z]))")
WIDEST = 10  # Slurm's own limit


def output_name(pattern: str, values: Mapping[str, str]) -> str:
    r"""The pattern with its signs replaced; one without a value stays, and a backslash anywhere turns all of them off.

    >>> output_name("run-%4j_%a-%x.out", {"j": "12", "a": "3", "x": "bert"})
    'run-0012_3-bert.out'
    >>> output_name("100%%-%q.out", {}), output_name("\\%j.out", {"j": "12"})
    ('100%-%q.out', '%j.out')
    """
    if "\\" in pattern:
        return pattern.replace("\\", "")

    def value(sign: re.Match[str]) -> str:
        if sign[0] == "%%":
            return "%"
        found = values.get(sign[2])
        if found is None:
            return sign[0]
        return found.zfill(min(int(sign[1] or 0), WIDEST)) if found.isdigit() else found

    return _SIGN.sub(value, pattern)
