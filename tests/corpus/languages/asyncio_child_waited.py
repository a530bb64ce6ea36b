# asyncio_child_waited.py - asyncio waits for the end of a child that reads until the pipe is closed, which the program keeps open.
# SPDX-License-Identifier: MIT
#
# expect: deadlock stuck
# source: the warning of asyncio.subprocess on Process.wait() with PIPE
import asyncio


async def main():
    child = await asyncio.create_subprocess_exec(
        "cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    child.stdin.write(b"text\n")
    await child.wait()


asyncio.run(main())
