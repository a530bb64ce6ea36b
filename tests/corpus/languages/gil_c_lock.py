# gil_c_lock.py - one thread keeps Python's global lock while it wants a mutex of C; the one that has the mutex wants the global lock.
# SPDX-License-Identifier: MIT
# expect: deadlock
# restless: who wants the global lock looks every 5 ms
# source: ceph/ceph#46302, PixarAnimationStudios/OpenUSD#3986, GafferHQ/gaffer#3512
import ctypes
import threading

free, keeping = ctypes.CDLL(None), ctypes.PyDLL(None)
mutex = ctypes.create_string_buffer(64)
free.pthread_mutex_init(mutex, None)
free.pthread_mutex_lock(mutex)
# The main thread has the mutex, and gives the global lock away while it sleeps.
thread = threading.Thread(target=keeping.pthread_mutex_lock, args=(mutex,))
thread.start()
free.usleep(300000)
free.pthread_mutex_unlock(mutex)
