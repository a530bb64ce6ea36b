# py_barrier_short.py - a barrier waits for one thread more than there are.
# SPDX-License-Identifier: MIT
# expect: deadlock
# source: https://docs.python.org/3/library/threading.html#barrier-objects (parties)
import threading

barrier = threading.Barrier(3)
threads = [threading.Thread(target=barrier.wait) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
