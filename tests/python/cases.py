# cases.py - Python programs that wait, in many ways; the first argument says which.
# SPDX-License-Identifier: MIT
import asyncio
import multiprocessing
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

jobs = queue.Queue()


def fed_by_nobody():
    def work():
        while True:
            jobs.get()

    worker = threading.Thread(target=work, name="worker")
    worker.start()
    worker.join()


def joins():
    def work(other):
        other.join()

    worker = threading.Thread(target=work, args=(threading.current_thread(),), name="worker")
    worker.start()
    worker.join()


def child():
    p = subprocess.Popen(["head", "-c", "1000000", "/dev/zero"], stdout=subprocess.PIPE)
    p.wait()
    p.stdout.read()


def listen():
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    return server


def server():
    s = listen()
    while True:
        s.accept()[0].close()


# Workers of a pool that have nothing to do, and who may give them some.
def pool():
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(abs, range(100)))
        s = listen()
        while True:
            workers.submit(s.accept()[0].close)


def processes():
    with multiprocessing.Pool(2) as workers:
        workers.map(abs, range(100))
        server()


def asyncio_server():
    async def serve():
        s = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        await s.serve_forever()

    asyncio.run(serve())


# A queue that is fed now and then.
def fed():
    def work():
        while True:
            jobs.get()

    for i in range(4):
        threading.Thread(target=work, name=f"worker {i}", daemon=True).start()
    while True:
        time.sleep(0.1)
        jobs.put(None)


# Services that rest until they are told to end: the handler fills the queue, or sets the event, that the workers wait for.
def told_by_queue():
    def work():
        while jobs.get() is not None:
            pass

    workers = [threading.Thread(target=work, name=f"worker {i}") for i in range(3)]
    signal.signal(signal.SIGTERM, lambda *_: [jobs.put(None) for _ in workers])
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def told_by_event():
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    worker = threading.Thread(target=told.wait, name="worker")
    worker.start()
    worker.join()


def told_by_processes():
    requests = multiprocessing.Queue()

    def work():
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        while requests.get() is not None:
            pass

    workers = [multiprocessing.Process(target=work) for i in range(2)]
    for worker in workers:
        worker.start()
    signal.signal(signal.SIGTERM, lambda *_: [requests.put(None) for _ in workers])
    for worker in workers:
        worker.join()


def told_by_coroutine():
    async def rest():
        told = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
        await told.wait()

    asyncio.run(rest())


# Two locks in opposite orders, beside a main thread that lives.
def crossed():
    audit, ledger = threading.RLock(), threading.RLock()
    both = threading.Barrier(2)

    def transfer():
        with audit:
            both.wait()
            ledger.acquire()

    def report():
        with ledger:
            both.wait()
            audit.acquire()

    for work in (transfer, report):
        threading.Thread(target=work, name=work.__name__, daemon=True).start()
    while True:
        time.sleep(0.1)


# From 3.14 on another process forks, which must be given everything.
multiprocessing.set_start_method("fork")
# The handler that Python has for it might release those that wait.
signal.signal(signal.SIGINT, signal.SIG_IGN)
# A client asks a server for what nobody puts into the server's queue.
def managed():
    context = multiprocessing.get_context("fork")
    with context.Manager() as manager:
        answers = manager.Queue()
        client = context.Process(target=answers.get)
        client.start()
        client.join()


globals()[sys.argv[1]]()
