# event_joined.py - the main thread joins a worker, which waits for an item that nobody puts; that there is a signal handler does not excuse it.
# SPDX-License-Identifier: MIT
# expect: stuck
# misses: ebpf why (joining a thread of Python is a semaphore like that of an Event there)
# source: the twin of event_until_hup.py: somebody stands behind the set
import queue
import signal
import threading

jobs = queue.Queue()
worker = threading.Thread(target=jobs.get)
worker.start()
signal.signal(signal.SIGTERM, lambda *_: None)
worker.join()
