#!/usr/bin/env python3
# fork-exec.py - fork, then run another program in the child, until "q".
# SPDX-License-Identifier: MIT
import os
import sys

child = os.path.join(os.path.dirname(os.path.abspath(__file__)), "child.py")
number = 0
while True:
    number += 1
    pid = os.fork()
    if pid == 0:
        # exec replaces the interpreter: it does not return.
        os.execv(sys.executable, [sys.executable, child, str(number)])
    print("Child is", pid, flush=True)
    if sys.stdin.readline() in ("", "q", "q\n"):
        break
