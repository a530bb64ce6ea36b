# asyncio_unread.py - a coroutine waits for the end of a subprocess that writes more to its pipe than the loop reads ahead.
# SPDX-License-Identifier: MIT
# expect: stuck
# source: bojieli/ai-agent-book#100, bytedance/SandboxFusion#53, tornadoweb/tornado#3323
import asyncio


async def main():
    child = await asyncio.create_subprocess_exec(
        "head", "-c", "1000000", "/dev/zero", stdout=asyncio.subprocess.PIPE
    )
    await child.wait()


asyncio.run(main())
