"""
All that takes too long for every change: ``python -m tests.nightly [SHARE]``.

1e5 spoilt files of all our formats, accidents to a run with 20 repeats, and hours of work in one window.
With a share, such as 0.01, so much less of the first two; the last, some minutes, says something only as a
whole. Exit status 1 if any of them failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from ..hostile.formats import FORMATS

CASES, REPEATS = 100_000, 20


def main() -> int:
    """Run one after the other, each in a process of its own."""
    share = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0

    def of(whole: int) -> str:
        return str(max(1, round(whole * share)))

    jobs = {
        "fuzz": ["-m", "tests.nightly.fuzz", of(CASES // len(FORMATS) + 1), str(int(time.time()))],
        "accidents": ["-m", "pytest", "-q", "-o", "addopts=", "tests/nightly/accidents.py"],
        "soak": ["-m", "tests.nightly.soak"],
    }
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "GLUE_ZOOBOT_REPEATS": of(REPEATS)}
    failed = []
    for name, words in jobs.items():
        start = time.monotonic()
        print(f"== {name}: python {' '.join(words)}", flush=True)
        status = subprocess.run([sys.executable, *words], env=environment, check=False).returncode
        print(
            f"== {name}: {'failed' if status else 'passed'} in {time.monotonic() - start:.0f} s", flush=True
        )
        failed += [name] * bool(status)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
