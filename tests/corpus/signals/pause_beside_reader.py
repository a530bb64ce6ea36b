# pause_beside_reader.py - a thread reads what its own process would write to a pipe, and the main thread sleeps until it is killed.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# source: a service that has nothing to do, held-out trial of languages
import os
import signal
import threading

orders, give = os.pipe()
threading.Thread(target=lambda: os.read(orders, 1), daemon=True).start()
signal.pause()
