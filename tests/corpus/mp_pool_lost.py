# mp_pool_lost.py - a worker of a Pool is killed in the middle of a task, and the parent waits for the task's result.
# SPDX-License-Identifier: MIT
# expect: deadlock stuck
# source: cpython#66587 (bpo-22393), cpython#97641; stackoverflow.com/q/61492362
import multiprocessing
import os
import signal


def task(_):
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == '__main__':
    with multiprocessing.get_context('fork').Pool(2) as pool:
        pool.map(task, [1])
