# asyncio_locks.py - two tasks of asyncio take two locks in opposite orders: the loop has nothing left to do.
# SPDX-License-Identifier: MIT
# expect: stuck
# source: tox-dev/filelock#586, python/cpython#121419
import asyncio


async def both(first, second, mine, other):
    async with first:
        mine.set()
        await other.wait()
        async with second:
            pass


async def main():
    a, b = asyncio.Lock(), asyncio.Lock()
    has_a, has_b = asyncio.Event(), asyncio.Event()
    await asyncio.gather(both(a, b, has_a, has_b), both(b, a, has_b, has_a))


asyncio.run(main())
