#!/usr/bin/env python3
# thread-count.py - ten threads count side by side, without any lock.
# SPDX-License-Identifier: MIT
# Try: --delay 0.2
import argparse
import threading
import time

THREADS = 10
parser = argparse.ArgumentParser()
parser.add_argument("--delay", type=float, default=1, help="seconds between two numbers (1)")
parser.add_argument("--count", type=int, default=3, help="number that each thread counts to (3)")
parser.add_argument("--early", action="store_true", help="main does not wait for the threads")
options = parser.parse_args()


def counter(number):
    for i in range(options.count):
        time.sleep(options.delay)
        print(f"[{number}] => {i}\n", end="", flush=True)


for number in range(THREADS):
    # Python waits at its end for all threads that are not daemons.
    threading.Thread(target=counter, args=(number,), daemon=True).start()
if not options.early:
    time.sleep(options.count * options.delay * 4 / 3)  # a guess: nothing makes sure that they have ended by then
print("Main thread exiting.", flush=True)
