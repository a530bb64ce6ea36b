# py_timed_slow.py - the twin of py_timed_by_name.py: who has the lock for which another thread tries again and again has something to do.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# source: the healthy twin of py_timed_by_name.py
import threading
import time

a, taken = threading.Lock(), threading.Event()


def hold():
    with a:
        taken.set()
        time.sleep(60)


def try_again():
    taken.wait()
    while not a.acquire(timeout=1):
        pass


for work in hold, try_again:
    threading.Thread(target=work).start()
