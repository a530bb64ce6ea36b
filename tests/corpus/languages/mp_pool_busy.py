# mp_pool_busy.py - the twin of mp_pool_lost.py: the task takes long.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# source: mapillary/OpenSfM#190
import multiprocessing
import time

if __name__ == '__main__':
    with multiprocessing.get_context('fork').Pool(2) as pool:
        pool.map(time.sleep, [30])
