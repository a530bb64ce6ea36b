# mp_queue_read.py - the twin of mp_queue_joined.py: it reads, slowly, before it joins.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# source: python/cpython#73983
import ctypes
import multiprocessing
import signal
import time


def fill(queue):
    # Without its parent it would hang indeed: the end that it could read from is its own.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    queue.put('x' * 1000000)


if __name__ == '__main__':
    queue = multiprocessing.get_context('fork').Queue()
    child = multiprocessing.get_context('fork').Process(target=fill, args=(queue,))
    child.start()
    time.sleep(30)
    print(len(queue.get()))
    child.join()
