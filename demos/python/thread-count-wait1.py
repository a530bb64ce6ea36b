#!/usr/bin/env python3
# thread-count-wait1.py - main waits for its threads by polling their locks.
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

print_mutex = threading.Lock()
exit_mutexes = [threading.Lock() for _ in range(THREADS)]


def counter(number):
    for i in range(options.count):
        time.sleep(options.delay)
        with print_mutex:
            print(f"[{number}] => {i}", flush=True)
    exit_mutexes[number].acquire()  # says: I am done. Never released.


for number in range(THREADS):
    threading.Thread(target=counter, args=(number,), daemon=True).start()
for mutex in exit_mutexes:
    while not mutex.locked():
        pass  # keeps a processor busy, and Python's own lock too; Thread.join would sleep
print("Main thread exiting.", flush=True)
