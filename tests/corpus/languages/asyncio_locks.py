# asyncio_locks.py - two tasks of asyncio take two locks in opposite orders: the loop has nothing left to do.
# SPDX-License-Identifier: MIT
# expect: stuck
# source: tox-dev/filelock#586, python/cpython#121419
import asyncio


async def both(first, second):
    async with first:
        await asyncio.sleep(0.1)
        async with second:
            pass


async def main():
    a, b = asyncio.Lock(), asyncio.Lock()
    await asyncio.gather(both(a, b), both(b, a))


asyncio.run(main())
