# asyncio_until_term.py - a service of asyncio rests until SIGTERM tells it to end.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# all:    stuck
# source: the healthy twin of asyncio_locks.py
import asyncio
import signal


async def main():
    done = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, done.set)
    await done.wait()


asyncio.run(main())
