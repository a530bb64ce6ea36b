#!/usr/bin/env bash
# ruby.sh - Ruby programs: what their threads wait for; what is stuck, and what only rests.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_why.sh"
. "$ROOT/tests/lib_release.sh"

RUBY=/usr/bin/ruby
if [ ! -x "$RUBY" ]; then
	begin "Ruby programs"
	skip "there is no $RUBY"
	end
	exit 0
fi
CASES=$ROOT/tests/ruby/cases.rb

# Ruby's main thread joins others for half a second at a time: the third time on, that is one wait, which stands behind them.
ruby_findings()
{
	findings out | sed -E 's/\((head|cases.rb) -> [?]\)/(\1 -> cases.rb)/; s/[(][?] -> cases/(cases.rb -> cases/; s/(empty pipe) [0-9]+/\1 N/; s/main thread of cases/cases/g; /^  unless a signal whose handler is installed arrives/d' |
		grep -vx -e '  waiting behind them: cases.rb\[PID\]'
}

cross_text()
{
	cat <<-'T'
	warning: stuck: thread "transfer" of cases.rb[PID] and thread "report" of cases.rb[PID] wait for each other
	  cycle of 2, conditional
	  unless another thread of the Ruby program interrupts it (Thread#raise, as Timeout does, or Thread#wakeup)
	  thread "transfer" of cases.rb[PID]
	      waits for the mutex `LEDGER` (Thread::Mutex) at cases.rb:34 (block in transfer),
	      which is held by thread "report" of cases.rb[PID], now at cases.rb:41 (block in report)
	  thread "report" of cases.rb[PID]
	      waits for the mutex `AUDIT` (Thread::Mutex) at cases.rb:41 (block in report),
	      which is held by thread "transfer" of cases.rb[PID], now at cases.rb:34 (block in transfer)
	  remedy: Take these locks in the same order everywhere, or try the second one and release the first if that fails.
	T
}

joins_text()
{
	cat <<-'T'
	warning: stuck: thread "first" of cases.rb[PID] and thread "second" of cases.rb[PID] wait for each other
	  cycle of 2, conditional
	  unless another thread of the Ruby program interrupts it (Thread#raise, as Timeout does, or Thread#wakeup)
	  thread "first" of cases.rb[PID]
	      waits to join thread "second" of cases.rb[PID] at cases.rb:65 (block in joins)
	  thread "second" of cases.rb[PID]
	      waits to join thread "first" of cases.rb[PID] at cases.rb:66 (block in joins)
	  remedy: Let only one thread join the others.
	T
}

child_text()
{
	cat <<-'T'
	error: deadlock: cases.rb[PID] and head[PID] wait for each other and can never proceed
	  cycle of 2, certain
	  cases.rb[PID]
	      waits for its child head[PID] to exit at cases.rb:83 (child)
	  head[PID]
	      waits to write to the full pipe N (head -> cases.rb),
	      whose read end is open in cases.rb[PID] (fd N)
	  remedy: Read the child's output to its end first, then wait for the child.
	T
}

full_text()
{
	cat <<-'T'
	error: deadlock: cases.rb[PID] and cases.rb[PID] wait for each other and can never proceed
	  cycle of 2, certain
	  cases.rb[PID]
	      waits for its child cases.rb[PID] to exit at cases.rb:118 (full)
	  cases.rb[PID]
	      waits to write to the full pipe N (cases.rb -> cases.rb) at cases.rb:115 (block in full),
	      whose read end is open in cases.rb[PID] (fd N)
	  remedy: Read the child's output to its end first, then wait for the child.
	T
}

ask_text()
{
	cat <<-'T'
	error: deadlock: cases.rb[PID] and cases.rb[PID] wait for each other and can never proceed
	  cycle of 2, certain
	  cases.rb[PID]
	      waits to read from the empty pipe N (cases.rb -> cases.rb) at cases.rb:129 (ask),
	      whose write end is open in cases.rb[PID] (fd N)
	  cases.rb[PID]
	      waits to read from the empty pipe N (cases.rb -> cases.rb) at cases.rb:125 (block in ask),
	      whose write end is open in cases.rb[PID] (fd N)
	  remedy: Let one side send first, and flush what it has buffered before it waits for the answer; close the ends that are not used.
	T
}

own_pipe_text()
{
	cat <<-'T'
	warning: stuck: cases.rb[PID] and thread "reader" of cases.rb[PID] wait for each other
	  cycle of 2, conditional
	  cases.rb[PID]
	      waits for the queue `queue` (Thread::Queue) at cases.rb:147 (own_pipe),
	      and every thread that could use its other side is blocked
	  thread "reader" of cases.rb[PID]
	      waits to read from the empty pipe N (cases.rb -> cases.rb) at cases.rb:145 (block in own_pipe),
	      whose write end is open in cases.rb[PID] (fd N)
	  unless another thread of the Ruby program interrupts it (Thread#raise, as Timeout does, or Thread#wakeup)
	  remedy: Let a thread that depends on none of the others provide what is waited for, or wait with a timeout.
	T
}

# same_findings CASE: those in out are as wanted; who is named first is chance.
same_findings()
{
	ruby_findings | other_first | sort >.swapped
	ruby_findings | sort >.found
	"$1_text" | sort >.wanted
	cmp -s .found .wanted || cmp -s .swapped .wanted || fail "$1: found (>) and wanted (<) differ" "$(diff .wanted .found)" "$(show)"
}

# has_text WORD: pptrace why says it of the program now.
has_text()
{
	"$PPTRACE" why "$pid" >out 2>&1
	grep -q -- "$1" out
}

# why_cases VERSION COMMAND...: what pptrace why says of the cases that the command runs.
why_cases()
{
	local version=$1 case
	shift
	for case in cross joins child full ask own_pipe; do
		begin "why, Ruby $version: $case"
		start "$@" "$case"
		wait_for 60 has_text '^error: deadlock\|^warning: stuck'
		run "$PPTRACE" why "$pid"
		same_findings "$case"
		stop
		end
	done

	begin "why, Ruby $version: queues, conditions, places and names"
	start "$@" queues
	wait_for 60 has_text 'Thread::Queue'
	expect_out '^No deadlock was found'
	expect_out '^ +[0-9]+  left: waits for the queue `a` \(Thread::Queue\)'
	expect_out '^ +at cases.rb:73 \(block in queues\)'
	stop
	start "$@" condition
	wait_for 60 has_text '^ *[0-9]* *consumer: waits for the condition variable `filled` (Thread::ConditionVariable)'
	stop
	end

	begin "why, Ruby $version: objects go by the names of constants and variables"
	start "$@" names
	wait_for 60 has_text ' nameless: waits for the queue'
	expect_out ' constant: waits for the mutex `AUDIT` \(Thread::Mutex\)'
	expect_out ' module: waits for the mutex `LOCK` \(Thread::Mutex\)'
	expect_out ' class: waits for the mutex `LIMIT` \(Thread::Mutex\)'
	expect_out ' variable: waits for the queue `@jobs` \(Thread::Queue\)'
	expect_out ' condition: waits for the condition variable `@filled` \(Thread::ConditionVariable\)'
	expect_out ' small: waits for the monitor `@monitor` \(Monitor\)'
	expect_out ' outer: waits for the queue `orders` \(Thread::Queue\)'
	expect_out ' inner: waits for the queue `mine` \(Thread::Queue\)'
	expect_out ' nameless: waits for the queue 0x[0-9a-f]+ \(Thread::Queue\)'
	stop
	end

	for case in idle_pool idle_server healthy self_pipe self_select trapped_pop trapped_join; do
		begin "why, Ruby $version: $case is not accused"
		start "$@" "$case"
		wait_for 60 has_text 'cases.rb:'
		for _ in 1 2 3 4 5; do
			run "$PPTRACE" why "$pid"
			expect_out '^No deadlock was found'
			expect_status 0
		done
		stop
		end
	done
}
why_cases "$("$RUBY" -e 'puts RUBY_VERSION')" "$RUBY" "$CASES"

cat >forked.rb <<'RB'
work = Thread.new do
  fork do
    sleeper = Thread.new { sleep }
    sleeper.name = "sleeper"
    sleeper.join
  end
  Process.wait
end
work.join
RB
begin "why, Ruby: the thread that forks is the main thread of the child"
start "$RUBY" forked.rb
# For any child, since no number was given.
wait_for 60 has_text '^ *[0-9]*  forked.rb:1: waits for any of its children: forked.rb'
expect_out '^ +at forked.rb:7 \(block in <main>\)'
wait_for 60 has_text 'waits to join thread "sleeper" of forked.rb'
expect_out '^ +at forked.rb:5 \(block \(2 levels\) in <main>\)'
stop
end

cat >detached.rb <<'RB'
Process.detach(spawn("sleep 1000")).join
RB
begin "why, Ruby: the library's own thread that waits for a child has no place in the program"
start "$RUBY" detached.rb
wait_for 60 has_text '^ *[0-9]*  .*: waits for its child sleep'
! grep -q 'at libruby' out || fail "$(cat out)"
stop
end

begin "Ruby 3.3 can be had"
cannot=$(LONG=1 && release_cannot ruby 3.3)
if [ -n "$cannot" ]; then
	skip "$cannot"
fi
end
if [ -z "$cannot" ]; then
	cp "$CASES" "$BUILD/ruby/3.3/"
	why_cases 3.3 "$BUILD/ruby/run" 3.3 /cases.rb
fi

RUN=("$RUBY" "$CASES") TOLD="cross joins child full ask own_pipe"

# on_backend NAME: the same while it is recorded.
on_backend()
{
	local case
	for case in $TOLD; do
		begin "$1: Ruby: $case is told while it lasts, and found in the recording"
		background "$PPTRACE" run --backend="$1" --watch=0.3 -o ruby.db "${RUN[@]}" "$case"
		wait_for 60 told_text
		cp err out
		same_findings "$case"
		kill -TERM $!
		wait_end $!
		"$PPTRACE" diagnose ruby.db >out 2>&1
		sed -i '/^  .*SIGTERM/d' out
		same_findings "$case"
		if [ "$case" = cross ]; then
			expect_sql ruby.db "SELECT runtime_name FROM thread WHERE runtime_name IS NOT NULL ORDER BY 1" "report
transfer"
			expect_sql ruby.db "SELECT program, language FROM process WHERE language IS NOT NULL" "cases.rb|ruby"
			expect_sql ruby.db "SELECT DISTINCT kind, type FROM lock WHERE type LIKE 'Thread::%'" "object|Thread::Mutex"
			expect_sql ruby.db "SELECT DISTINCT s.language, s.function, s.line FROM wait w JOIN site s ON s.id = w.site_id
				WHERE w.reason = 'lock' AND s.language IS NOT NULL ORDER BY 3" "ruby|block in transfer|34
ruby|block in report|41"
		fi
		end
	done
	begin "$1: Ruby: threads that stop when nothing more happens are asked soon, though none had anything to tell for long"
	background "$PPTRACE" run --backend="$1" --watch=0.3 -o late.db "$RUBY" "$CASES" late
	wait_for 30 grep -q ready out
	wait_for 15 grep -q 'stuck: thread "transfer"' err
	kill -TERM $!
	wait_end $!
	end
	for case in idle_pool idle_server healthy queues self_pipe self_select trapped_pop trapped_join; do
		begin "$1: Ruby: $case is not accused"
		run "$PPTRACE" run --backend="$1" --watch=0.3 --timeout=3 -o ruby.db "${RUN[@]}" "$case"
		expect_no_err 'stuck|deadlock'
		expect_sql ruby.db "SELECT count(*) FROM finding WHERE rule IN ('deadlock', 'stuck')" 0
		end
	done
}
# shellcheck disable=SC2046
side_by_side on_backend $(backends)

if [ -n "${LONG:-}" ] && [ -z "$cannot" ]; then
	release_library "$BUILD/ruby/3.3"
	RUN=("$BUILD/ruby/run" 3.3 /cases.rb) TOLD="cross joins"
	for backend in $(backends); do
		on_backend "$backend"
		begin "$backend: Ruby 3.3: child is found in the recording"
		run "$PPTRACE" run --backend="$backend" --watch=0.3 --timeout=12 -o ruby.db "${RUN[@]}" child
		run "$PPTRACE" diagnose ruby.db
		sed -i '/^  .*SIGTERM/d' out
		same_findings child
		end
	done
fi

# Every frame that Ruby itself names must be among ours: "cases.rb:34 (block in transfer)".
begin "why, Ruby: the frames are those that Ruby prints of itself"
cat >frames.rb <<'RB'
require "timeout"
class Stack
  def outer; [1].each { |_| inner(2) }; end
  def inner(n)
    if n > 0
      inner(n - 1)
    else
      x = 1
      y = x +
        1
      deep { 200.times { y += 1 }; $told << caller(0); Queue.new.pop }
    end
  end
  def deep = yield
end
$told = []
t = Thread.new { Stack.new.outer }
sleep 0.05 while $told.empty?
$told[0].each { |line| puts line }
$stdout.flush
loop { sleep 1 }
RB
"$RUBY" frames.rb >theirs 2>&1 </dev/null &
pid=$!
wait_for 30 has_text 'Thread::Queue'
"$PPTRACE" why -v "$pid" >out 2>&1
# C functions have no lines of their own.
sed -nE "s/^(frames.rb:[0-9]+):in \`(.*)'\$/\1 (\2)/p" theirs | grep -v '(caller)\|(each)\|(times)\|(pop)' >.theirs
[ "$(wc -l <.theirs)" -ge 6 ] || fail "Ruby says only" "$(cat theirs)"
while read -r line; do
	grep -qF "at $line" out || fail "nowhere: $line" "$(cat out)"
done <.theirs
stop
end
