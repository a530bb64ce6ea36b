# event_joined.py - the main thread joins a worker, which waits for an item that nobody puts, unless the handler of SIGTERM did.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# all: stuck deadlock
# source: event_until_hup.py with a worker: a service that rests until it is told to end
import queue
import signal
import threading

jobs = queue.Queue()
worker = threading.Thread(target=jobs.get)
worker.start()
signal.signal(signal.SIGTERM, lambda *_: None)
worker.join()
