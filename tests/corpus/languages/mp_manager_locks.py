# mp_manager_locks.py - two processes take two locks that the server of a Manager keeps for them, in opposite orders.
# SPDX-License-Identifier: MIT
# expect: stuck
# misses: ebpf why   who has taken a lock of Python is not in its memory, and another thread of the server accepts clients
# source: nak/pytest_mproc#3, birdnet-team/birdnet#73
import multiprocessing


def both(first, second, have_one):
    with first:
        have_one.wait()
        with second:
            pass


if __name__ == "__main__":
    manager = multiprocessing.Manager()
    a, b = manager.Lock(), manager.Lock()
    have_one = multiprocessing.Barrier(2)
    one = multiprocessing.Process(target=both, args=(a, b, have_one))
    other = multiprocessing.Process(target=both, args=(b, a, have_one))
    one.start()
    other.start()
    one.join()
    other.join()
