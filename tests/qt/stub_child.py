"""
Stands in for ``glue_zoobot embed``: the same events, at will.

``stub_child.py STORE WHAT``: does 5 images per step of 50 ms, remembers in ``STORE/done`` how many, so that
a second run resumes, and does WHAT at 20 of 60: ``done`` (goes on to the end), ``wait``, ``error``, ``die``,
or ``stubborn`` (does not stop when asked to).
"""

import json
import os
import signal
import sys
import time
from pathlib import Path


def write(stream, line):
    stream.write(line + "\n")
    stream.flush()


def say(**event):
    write(sys.stdout, json.dumps(event))


def cancelled(*_):
    say(event="cancelled")
    say(event="message", text="run the same command again")
    sys.exit(130)


def main(store, what):
    signal.signal(signal.SIGTERM, signal.SIG_IGN if what == "stubborn" else cancelled)
    memory = Path(store) / "done"
    done = int(memory.read_text()) if memory.exists() else 0
    say(event="found", images=60, duplicates=[], text="60 images")
    write(sys.stdout, "a line that some library printed")
    while done < 60:
        time.sleep(0.05)
        done += 5
        memory.write_text(str(done))
        say(event="progress", done=done, total=60, rate=100.0, seconds_left=1.0, broken=done // 20)
        if done == 20 and what in ("wait", "stubborn"):
            time.sleep(60)
        if done == 20 and what == "die":
            write(sys.stderr, "out of memory")
            os.kill(os.getpid(), signal.SIGKILL)
        if done == 20 and what == "error":
            say(event="error", message="the disk is full: free some space and resume")
            sys.exit(1)
    say(event="done", store=store, embedded=59, broken=1, duplicates=0)


if __name__ == "__main__":
    main(*sys.argv[1:])
