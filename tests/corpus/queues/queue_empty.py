# queue_empty.py - the only thread takes from a queue into which nobody puts; Python's own handler of SIGINT is no rescue.
# SPDX-License-Identifier: MIT
# expect: stuck deadlock
# source: python/cpython#46412 and many more
import queue

queue.Queue().get()
