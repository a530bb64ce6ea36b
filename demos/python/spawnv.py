#!/usr/bin/env python3
# spawnv.py - start ten programs at once without calling fork.
# SPDX-License-Identifier: MIT
import argparse
import os
import sys

parser = argparse.ArgumentParser()
parser.add_argument(
    "--mode",
    choices=("overlay", "wait", "nowait", "detach"),
    default="nowait",
    help="overlay: become the program; wait: one after the other; nowait: all at once (this is what happens by "
    "default); detach: in sessions of their own, never waited for",
)
parser.add_argument("--count", type=int, default=10, help="how many (10)")
options = parser.parse_args()

child = os.path.join(os.path.dirname(os.path.abspath(__file__)), "child.py")


def start(number):
    # os.spawnv would fork and exec; this is one call.
    return os.posix_spawn(
        sys.executable, [sys.executable, child, str(number)], os.environ, setsid=options.mode == "detach"
    )


if options.mode == "overlay":
    os.execv(sys.executable, [sys.executable, child, "0"])
pids = []
for number in range(options.count):
    pids.append(start(number))
    if options.mode == "wait":
        os.waitpid(pids.pop(), 0)
if options.mode == "nowait":
    for pid in pids:
        os.waitpid(pid, 0)
print("Main process exiting.")
