# asyncio_child_slow.py - asyncio waits for the end of a child that takes its time, and to which it may write.
# SPDX-License-Identifier: MIT
#
# forbid: deadlock stuck
# source: the healthy twin of asyncio_child_waited
import asyncio


async def main():
    child = await asyncio.create_subprocess_exec(
        "sleep", "60", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    await child.wait()


asyncio.run(main())
