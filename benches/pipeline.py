#!/usr/bin/env python3
"""Does decoding wait for the network, or the network for decoding? How many cores `extract` keeps busy, from JPEGs.

    python3 benches/pipeline.py FOLDER [extract's flags …]

FOLDER holds JPEGs, at any depth. Linux only. Prints wall time and, summed over all threads, the time that they ran and
the time that they could have run but for other programs (/proc/PID/task/*/schedstat), so that the figure holds on a
busy machine too. Both together over wall time: how many cores the work would have filled. Where decoding and the
network never wait for one another, that is all of them, but for start and end.
"""

import glob
import os
import pathlib
import subprocess
import sys
import tempfile
import time


def main():
    folder, flags = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        (scratch / "images").symlink_to(folder)
        files = sorted(path.relative_to(folder) for path in folder.rglob("*.jp*g"))
        rows = "".join(f"images/{path},{'ab'[i % 2]}\n" for i, path in enumerate(files))
        (scratch / "manifest.csv").write_text("path,label\n" + rows)
        cores = len(os.sched_getaffinity(0))
        for _ in range(3):
            command = ["target/release/extract", scratch / "manifest.csv", "-o", scratch / "x.features", "--force", "--quiet"]
            wall, ran, queued = watch([*command, *flags])
            print(f"{len(files)} images: wall {wall:.2f} s, ran {ran:.2f} s, queued {queued:.2f} s;"
                  f" {(ran + queued) / wall:.2f} of {cores} cores filled")


def watch(command):
    """Wall seconds of a command, and those that its threads ran and queued."""
    start = time.perf_counter()
    process = subprocess.Popen(command)
    seen = {}
    while process.poll() is None:
        for path in glob.glob(f"/proc/{process.pid}/task/*/schedstat"):
            try:
                seen[path] = [int(number) / 1e9 for number in pathlib.Path(path).read_text().split()[:2]]
            except OSError:
                pass  # the thread has ended
        time.sleep(0.005)
    if process.returncode:
        sys.exit(process.returncode)
    ran, queued = map(sum, zip(*seen.values()))
    return time.perf_counter() - start, ran, queued


if __name__ == "__main__":
    main()
