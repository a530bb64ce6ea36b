# py_queue_joined.py - a worker takes what is in a queue without saying that it is done, and the queue is joined.
# SPDX-License-Identifier: MIT
# expect: deadlock
# source: https://docs.python.org/3/library/queue.html#queue.Queue.join (task_done)
import queue
import threading

jobs = queue.Queue()


def work():
    while True:
        jobs.get()


threading.Thread(target=work, daemon=True).start()
jobs.put("job")
jobs.join()
