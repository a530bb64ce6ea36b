#!/usr/bin/env python3
# testexit_fork.py - a child that changes its own copy of a variable and ends with it, until "q".
# SPDX-License-Identifier: MIT
import os
import sys

exit_status = 0


def child():
    global exit_status
    exit_status += 1  # in the child's memory: the parent's stays 0
    print("Hello from child", os.getpid(), exit_status, flush=True)
    os._exit(exit_status)


while True:
    if os.fork() == 0:
        child()
    pid, status = os.wait()
    print("Parent got", pid, status, status >> 8, flush=True)
    if sys.stdin.readline() in ("", "q", "q\n"):
        break
