"""Says what is missing before pip does, in a sentence. Runs in any Python 3."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  (that is the question)
    sys.exit("Rota needs Python 3.11 or later. Another one: make PYTHON=python3.12 ...")
try:
    import ensurepip  # noqa: F401  (asked for only to see that it is there)
    import venv  # noqa: F401  (as above)
except ImportError:
    sys.exit("Python's venv is not complete here. On Debian and Ubuntu: apt install python3-venv")
