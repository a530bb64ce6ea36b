# py_workers_idle.py - workers wait for jobs, and the main thread for the signal that tells it to end.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# source: the healthy twin of py_queue_joined.py
import queue
import signal
import threading

jobs = queue.Queue()


def work():
    while True:
        jobs.get()
        jobs.task_done()


for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
signal.sigwait([signal.SIGTERM])
