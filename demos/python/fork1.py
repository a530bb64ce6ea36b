#!/usr/bin/env python3
# fork1.py - fork a child for every line that is typed, until "q".
# SPDX-License-Identifier: MIT
# Nobody waits for the children: each stays a zombie until this program ends.
import os
import sys

while True:
    pid = os.fork()
    if pid == 0:
        print("Hello from child", os.getpid(), flush=True)
        os._exit(0)
    print("Hello from parent", os.getpid(), pid, flush=True)  # flushed: the next child must not inherit it
    if sys.stdin.readline() in ("", "q", "q\n"):
        break
