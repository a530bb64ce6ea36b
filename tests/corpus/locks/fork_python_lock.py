# fork_python_lock.py - a child wants a lock that another thread of its parent held at the fork; Python's locks are semaphores.
# SPDX-License-Identifier: MIT
# expect: deadlock stuck
# source: python/cpython#50970 (bpo-6721: locks in the standard library should be sanitized on fork)
import os
import threading
import time

lock = threading.Lock()
held = threading.Event()


def hold():
    with lock:
        held.set()
        time.sleep(300)


threading.Thread(target=hold, daemon=True).start()
held.wait()
pid = os.fork()
if pid == 0:
    with lock:
        os._exit(0)
os.waitpid(pid, 0)
