# py_barrier_late.py - two threads wait at a barrier for the main thread, which has something else to do first.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# source: the healthy twin of py_barrier_short.py
import threading
import time

barrier = threading.Barrier(3)
threads = [threading.Thread(target=barrier.wait) for _ in range(2)]
for thread in threads:
    thread.start()
time.sleep(60)
barrier.wait()
for thread in threads:
    thread.join()
