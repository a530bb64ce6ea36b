# gil_busy.py - the twin of gil_c_lock.py: whoever has the global lock works for long, and the others wait for it.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# restless: the threads take turns
# source: ceph/ceph#46302
import ctypes
import threading

keeping = ctypes.PyDLL(None)
threads = [threading.Thread(target=keeping.usleep, args=(800000,)) for _ in range(40)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
