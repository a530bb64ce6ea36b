# mp_manager_slow.py - two processes take two locks that the server of a Manager keeps for them, in the same order; one keeps them for long.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# source: the healthy twin of mp_manager_locks.py
import multiprocessing
import time


def both(first, second):
    with first, second:
        time.sleep(60)


if __name__ == "__main__":
    manager = multiprocessing.Manager()
    a, b = manager.Lock(), manager.Lock()
    users = [multiprocessing.Process(target=both, args=(a, b)) for _ in range(2)]
    for user in users:
        user.start()
    for user in users:
        user.join()
