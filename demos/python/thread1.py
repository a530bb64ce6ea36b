#!/usr/bin/env python3
# thread1.py - start a thread for every line that is typed, until "q".
# SPDX-License-Identifier: MIT
import sys
import threading


def child(number):
    print("Hello from thread", number, flush=True)


number, more = 0, True
while more:
    number += 1
    thread = threading.Thread(target=child, args=(number,))
    thread.start()
    more = sys.stdin.readline() not in ("", "q", "q\n")
    thread.join()
