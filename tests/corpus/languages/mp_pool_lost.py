# mp_pool_lost.py - a worker of a Pool is killed in the middle of a task, and the parent waits for the task's result.
# SPDX-License-Identifier: MIT
# expect: deadlock stuck
# source: yumorishita/LiCSBAS2#164 (bpo-22393), mapillary/OpenSfM#190
import multiprocessing
import os
import signal


def task(_):
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == '__main__':
    with multiprocessing.get_context('fork').Pool(2) as pool:
        pool.map(task, [1])
