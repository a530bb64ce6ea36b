# mp_pool_pause.py - a pool of processes has nothing to do, and the main thread waits for any signal.
# SPDX-License-Identifier: MIT
#
# forbid: deadlock stuck
# all:    stuck
# source: signal.pause() at the end of scripts, to serve until Ctrl-C
import multiprocessing
import signal

if __name__ == "__main__":
    pool = multiprocessing.Pool(2)
    pool.map(abs, [1, 2])
    signal.pause()
