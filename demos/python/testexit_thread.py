#!/usr/bin/env python3
# testexit_thread.py - threads that change one shared variable and end by themselves, until "q".
# SPDX-License-Identifier: MIT
import sys
import threading

exit_status = 0


def child():
    global exit_status
    exit_status += 1  # shared: it grows with each thread
    print("Hello from child", threading.get_native_id(), exit_status, flush=True)
    sys.exit()  # of a thread: ends this one alone


more = True
while more:
    thread = threading.Thread(target=child)
    thread.start()
    more = sys.stdin.readline() not in ("", "q", "q\n")
    thread.join()
