#!/usr/bin/env python3
# thread-count-wait2.py - main waits for its threads by polling their flags.
# SPDX-License-Identifier: MIT
# Try: --delay 0.1
import argparse
import threading
import time

THREADS = 10
parser = argparse.ArgumentParser()
parser.add_argument("--delay", type=float, default=1, help="seconds between two numbers (1)")
parser.add_argument("--count", type=int, default=3, help="number that each thread counts to (3)")
options = parser.parse_args()

done = [False] * THREADS


def counter(number):
    for i in range(options.count):
        time.sleep(options.delay)
        print(f"[{number}] => {i}\n", end="", flush=True)
    done[number] = True


for number in range(THREADS):
    threading.Thread(target=counter, args=(number,), daemon=True).start()
while not all(done):
    pass  # keeps a processor busy, and Python's own lock too; Thread.join would sleep
print("Main thread exiting.", flush=True)
