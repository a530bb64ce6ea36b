# mp_queue_joined.py - a child has put more into a queue than a pipe takes, and its parent joins it before reading.
# SPDX-License-Identifier: MIT
# expect: deadlock
# source: python/cpython#73983, python/cpython#91594
import multiprocessing

if __name__ == '__main__':
    queue = multiprocessing.get_context('fork').Queue()
    child = multiprocessing.get_context('fork').Process(target=queue.put, args=('x' * 1000000,))
    child.start()
    child.join()
    print(len(queue.get()))
