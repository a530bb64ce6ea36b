#!/usr/bin/env bash
# coroutines.sh - event loops of asyncio with nothing to do any more: the task, its coroutine and its line; loops that rest are not accused.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_why.sh"

PYTHON=$(python3 -c 'import sys; print(sys.executable)')

LOOPS=$PWD/loops.py
cat >loops.py <<'PY'
import asyncio, sys

async def move(first, second):
    async with first:
        await asyncio.sleep(0.1)
        async with second: # crossed
            pass

async def crossed():
    a, b = asyncio.Lock(), asyncio.Lock()
    await asyncio.gather(move(a, b), move(b, a))

class Page:
    def __init__(self):
        self.answer = asyncio.get_running_loop().create_future()
    async def fetch(self):
        return await self.answer # unset
    async def show(self):
        print(await self.fetch())

async def unset():
    await asyncio.create_task(Page().show(), name="loader")

async def serve():
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    await server.serve_forever() # served

async def slow():
    await asyncio.gather(asyncio.sleep(1000), Page().show()) # slow

asyncio.run(globals()[sys.argv[1]]())
PY

line_of()
{
	grep -n "# $1" "$LOOPS" | cut -d: -f1
}

# loop_text LINE FUNCTION TASK: a loop that nothing wakes up any more.
loop_text()
{
	cat <<-T
	warning: stuck: loops.py[PID] cannot proceed: it polls socketpair N (loops.py <-> loops.py)
	  self, conditional
	  loops.py[PID]
	      polls socketpair N (loops.py <-> loops.py) at loops.py:$1 ($2 in task $3),
	      whose other side is open in loops.py[PID] (fd N)
	  unless it is an idle event loop that only a signal ends (the program has installed no handler)
	  remedy: Nothing this event loop polls can become ready any more: look for tasks in it that wait for each other, or for something that nobody does.
	T
}

crossed_text()
{
	loop_text "$(line_of crossed)" move Task-2
}

unset_text()
{
	loop_text "$(line_of unset)" Page.fetch loader
}

# same_loop CASE: what is found in out is as wanted.
same_loop()
{
	findings out | sed -E 's/socketpair [0-9]+/socketpair N/' | diff <("$1_text") - >difference || fail "$1: found (>) and wanted (<) differ" "$(cat difference)" "$(show)"
}

# says PATTERN: a line of pptrace why matches it now.
says()
{
	"$PPTRACE" why "$pid" >out 2>&1
	grep -Eq -- "$1" out
}

for name in crossed unset; do
	begin "why: the task, the coroutine and the line in which a loop of asyncio waits that nothing wakes up: $name"
	start "$PYTHON" "$LOOPS" $name
	wait_for 60 says '^warning: stuck'
	run "$PPTRACE" why "$pid"
	expect_status 0
	same_loop $name
	stop
	end
done

begin "why: what a loop waits for that rests is shown, and it is not accused"
start "$PYTHON" "$LOOPS" serve
wait_for 60 says "^ +at loops.py:$(line_of served) \(serve in task Task-1\)\$"
expect_out '^No deadlock was found'
stop
start "$PYTHON" "$LOOPS" slow
wait_for 60 says "^ +at loops.py:$(line_of slow) \(slow in task Task-1\)\$"
expect_out '^No deadlock was found'
stop
end

on_backend()
{
	local name
	for name in crossed unset; do
		begin "$1: the task, the coroutine and the line are told while it lasts, and kept: $name"
		background "$PPTRACE" run --backend="$1" --watch=0.3 -o $name.db "$PYTHON" "$LOOPS" $name
		wait_for 60 told_text
		cp err out
		same_loop $name
		kill -TERM $!
		wait_end $!
		run "$PPTRACE" diagnose --rule stuck $name.db
		sed -i '/^  .*SIG/d' out
		same_loop $name
		end
	done
	begin "$1: loops that rest are not accused"
	for name in serve slow; do
		run "$PPTRACE" run --backend="$1" --watch=0.2 --timeout=2 -o $name.db "$PYTHON" "$LOOPS" $name
		expect_no_err 'stuck|deadlock'
		expect_sql $name.db "SELECT count(*) FROM finding WHERE rule IN ('deadlock', 'stuck')" 0
	done
	end
}
# shellcheck disable=SC2046
side_by_side on_backend $(backends)
