"""
Spoil every format of ours many times: ``python -m tests.nightly.fuzz [CASES] [SEED] [FORMAT...]``.

Nothing but a `ZoobotError` may be raised by reading it. Prints how many cases each format took, and which
failed.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from random import Random

from glue_zoobot.errors import ZoobotError

from ..hostile.formats import FORMATS, spoil


def fuzz(name: str, cases: int, seed: int) -> tuple[Counter[str], Counter[str]]:
    """Outcomes of so many cases of one format, and what was raised that should not have been."""
    found, outcomes, failures = FORMATS[name], Counter(), Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = found.make(Path(folder))
        found.read(Path(folder))  # the example itself is sound
        good = path.read_bytes()
        for case in range(seed, seed + cases):
            path.write_bytes(spoil(good, found.kind, Random(f"{name} {case}")))
            try:
                found.read(Path(folder))
                outcomes["read"] += 1
            except ZoobotError:
                outcomes["refused"] += 1
            except Exception as error:
                frame = traceback.extract_tb(error.__traceback__)
                ours = [f for f in frame if "glue_zoobot" in f.filename]
                where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "elsewhere"
                key = f"{type(error).__name__} in {where}: {str(error)[:100]}"
                failures[key] += 1
                if failures[key] == 1:
                    print(f"  {name} case {case}: {key}", flush=True)
    return outcomes, failures


def main() -> int:
    """Run all of them; exit status 1 if anything else was raised."""
    warnings.simplefilter("ignore")
    cases, seed = (int(word) for word in [*sys.argv[1:3], *("10000", "0")[len(sys.argv[1:3]) :]])
    bad = 0
    for name in sys.argv[3:] or FORMATS:
        start = time.monotonic()
        outcomes, failures = fuzz(name, cases, seed)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{name}: {cases:,} cases, {outcomes['read']:,} read, {outcomes['refused']:,} refused, "
            f"{sum(failures.values()):,} FAILED; {time.monotonic() - start:.0f} s, peak {peak:.0f} MB",
            flush=True,
        )
        bad += sum(failures.values())
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
