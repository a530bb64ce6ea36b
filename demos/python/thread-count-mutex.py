#!/usr/bin/env python3
# thread-count-mutex.py - ten threads count, and take turns in printing.
# SPDX-License-Identifier: MIT
# Try: --delay 0.02
import argparse
import threading
import time

THREADS = 10
parser = argparse.ArgumentParser()
parser.add_argument("--delay", type=float, help="seconds to sleep while holding the lock (not at all)")
parser.add_argument("--pause", type=float, help="seconds to sleep before taking it (1, or 0 with --delay)")
parser.add_argument("--count", type=int, default=3, help="number that each thread counts to (3)")
options = parser.parse_args()
if options.pause is None:
    options.pause = 1 if options.delay is None else 0

print_mutex = threading.Lock()


def counter(number):
    for i in range(options.count):
        if options.pause:
            time.sleep(options.pause)
        with print_mutex:
            if options.delay:
                time.sleep(options.delay)
            print(f"[{number}] => {i}", flush=True)


for number in range(THREADS):
    threading.Thread(target=counter, args=(number,), daemon=True).start()
# The pauses run side by side; the delays one after the other, for they hold the lock.
time.sleep(max(0.4, options.count * (options.pause + THREADS * (options.delay or 0)) * 4 / 3))
with print_mutex:
    print("Main thread exiting.", flush=True)
