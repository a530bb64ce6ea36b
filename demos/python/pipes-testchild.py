#!/usr/bin/env python3
# pipes-testchild.py - the peer that the demo pipes talks to.
# SPDX-License-Identifier: MIT
import argparse
import os
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("--delay", type=float, default=3, help="seconds to sleep before each step (3)")
parser.add_argument("--no-flush", action="store_true", help="leave out the flush")
parser.add_argument("argument", nargs="?", default="")
options = parser.parse_args()

print(f'Child {os.getpid()} of {os.getppid()} got arg: "{options.argument}"', file=sys.stderr)
for _ in range(2):
    time.sleep(options.delay)
    # The reply begins before the line is there: Python keeps it until the flush.
    print(f"Child {os.getpid()} got: [", end="")
    line = sys.stdin.readline()
    if not line:
        sys.exit(1)
    time.sleep(options.delay)
    print(line[:-1] + "]", flush=not options.no_flush)
