# mp_queue_read.py - the twin of mp_queue_joined.py: it reads, slowly, before it joins.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# source: Python's own manual, "Joining processes that use queues"
import multiprocessing
import time

if __name__ == '__main__':
    queue = multiprocessing.get_context('fork').Queue()
    child = multiprocessing.get_context('fork').Process(target=queue.put, args=('x' * 1000000,))
    child.start()
    time.sleep(30)
    print(len(queue.get()))
    child.join()
