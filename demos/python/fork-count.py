#!/usr/bin/env python3
# fork-count.py - ten children count side by side and outlive their parent.
# SPDX-License-Identifier: MIT
# Try: --delay 0.2
import argparse
import os
import time

parser = argparse.ArgumentParser()
parser.add_argument("--delay", type=float, default=1, help="seconds between two numbers (1)")
parser.add_argument("--count", type=int, default=10, help="numbers that each child counts to (10)")
parser.add_argument("--children", type=int, default=10, help="how many count (10)")
options = parser.parse_args()


def counter():
    for i in range(options.count):
        time.sleep(options.delay)
        print(f"[{os.getpid()}] => {i}", flush=True)


for _ in range(options.children):
    pid = os.fork()
    if pid == 0:
        counter()
        os._exit(0)
    print(f"Process {pid} spawned", flush=True)
print("Main process exiting.")  # without waiting: the children become orphans
