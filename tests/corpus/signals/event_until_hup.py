# event_until_hup.py - the main thread of a service rests in an Event that its signal handler sets, workers wait for work.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# all: stuck
# source: sanic-org/sanic#73, Netflix/consoleme#9140
import queue
import signal
import threading

wake = threading.Event()
jobs = queue.Queue()


def work():
    while True:
        jobs.get()()


for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
signal.signal(signal.SIGHUP, lambda *_: wake.set())
signal.signal(signal.SIGTERM, lambda *_: wake.set())
while True:
    wake.wait()
    wake.clear()
    jobs.put(lambda: print("loaded again", flush=True))
