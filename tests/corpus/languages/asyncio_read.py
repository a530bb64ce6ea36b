# asyncio_read.py - a coroutine reads the output of a subprocess, which takes its time.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# source: the healthy twin of asyncio_unread.py
import asyncio


async def main():
    child = await asyncio.create_subprocess_exec("sleep", "60", stdout=asyncio.subprocess.PIPE)
    await child.communicate()


asyncio.run(main())
