#!/usr/bin/env python3
# thread-classes.py - threads as objects: a run method, start and join.
# SPDX-License-Identifier: MIT
# Try: --delay 0.1
import argparse
import threading
import time

THREADS = 10


class Counter(threading.Thread):
    def __init__(self, number, count, delay, mutex):
        super().__init__(name=f"counter {number}")
        self.number, self.count, self.delay, self.mutex = number, count, delay, mutex

    def run(self):
        for i in range(self.count):
            time.sleep(self.delay)
            with self.mutex:
                print(f"[{self.number}] => {i}", flush=True)


parser = argparse.ArgumentParser()
parser.add_argument("--delay", type=float, default=1, help="seconds between two numbers (1)")
parser.add_argument("--count", type=int, default=3, help="number that each thread counts to (3)")
options = parser.parse_args()

print_mutex = threading.Lock()
counters = [Counter(i, options.count, options.delay, print_mutex) for i in range(THREADS)]
for counter in counters:
    counter.start()
for counter in counters:
    counter.join()
print("Main thread exiting.")
