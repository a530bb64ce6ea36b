#!/usr/bin/env bash
# golang.sh - Go programs: what their goroutines wait for; what is stuck, and what only rests.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_why.sh"
. "$ROOT/tests/lib_release.sh"

if ! command -v go >/dev/null; then
	begin "Go programs"
	skip "there is no go"
	end
	exit 0
fi
cp "$ROOT"/tests/golang/*.go .
export GOCACHE=$ROOT/build/go-cache GOFLAGS=-mod=mod GO111MODULE=off
go build -o cases cases.go
go build -o stacks stacks.go
go build -o owners owners.go
go build -o polls polls.go
go build -o asks asks.go
go build -ldflags=-w -o nodebug cases.go
go build -ldflags="-s -w" -o stripped cases.go

HANGING="cross accounts again child feed joins once oncecross reread upgrade readwrite grouplock groupforgot leaked condlost condnested"
HEALTHY="server pool healthy many readers answered condfed"

cross_text()
{
	cat <<-'T'
	warning: stuck: goroutine N of cases[PID] and goroutine N of cases[PID] wait for each other
	  cycle of 2, conditional
	  goroutine N of cases[PID]
	      waits for the mutex `main.audit` (sync.Mutex) at cases.go:29 (main.transfer),
	      which is held by goroutine N of cases[PID], now at cases.go:36 (main.report)
	  goroutine N of cases[PID]
	      waits for the mutex `main.ledger` (sync.Mutex) at cases.go:36 (main.report),
	      which is held by goroutine N of cases[PID], now at cases.go:29 (main.transfer)
	  unless another goroutine unlocks the mutex: Go does not record the owner; it was inferred from that function's code
	  remedy: Take these locks in the same order everywhere, or try the second one and release the first if that fails.
	T
}

accounts_text()
{
	local a='cases.go:44 (main.(*account).move), called from cases.go:204 (main.main.func1)'
	local b='cases.go:44 (main.(*account).move), called from cases.go:204 (main.main.func2)'
	cat <<-T
	warning: stuck: goroutine N of cases[PID] and goroutine N of cases[PID] wait for each other
	  cycle of 2, conditional
	  goroutine N of cases[PID]
	      waits for the mutex ADDRESS (sync.Mutex) at $a,
	      which is held by goroutine N of cases[PID], now at $b
	  goroutine N of cases[PID]
	      waits for the mutex ADDRESS (sync.Mutex) at $b,
	      which is held by goroutine N of cases[PID], now at $a
	  unless another goroutine unlocks the mutex: Go does not record the owner; it was inferred from that function's code
	  remedy: Take these locks in the same order everywhere, or try the second one and release the first if that fails.
	T
}

again_text()
{
	cat <<-'T'
	warning: stuck: goroutine N of cases[PID] cannot proceed: it waits for the mutex `main.audit` (sync.Mutex)
	  self, conditional
	  goroutine N of cases[PID]
	      waits for the mutex `main.audit` (sync.Mutex) at cases.go:80 (main.more),
	      which it already holds itself
	  unless another goroutine unlocks the mutex: Go does not record the owner; it was inferred from that function's code
	  remedy: Do not acquire a lock again while holding it: release it first, tell the callee that it is held, or make it recursive.
	T
}

# crossed_text LINE FUNCTION WHAT LINE FUNCTION WHAT REMEDY: two goroutines, of which each has what the other waits for.
crossed_text()
{
	cat <<-T
	warning: stuck: goroutine N of cases[PID] and goroutine N of cases[PID] wait for each other
	  cycle of 2, conditional
	  goroutine N of cases[PID]
	      waits for the $3 at cases.go:$1 (main.$2),
	      which is held by goroutine N of cases[PID], now at cases.go:$4 (main.$5)
	  goroutine N of cases[PID]
	      waits for the $6 at cases.go:$4 (main.$5),
	      which is held by goroutine N of cases[PID], now at cases.go:$1 (main.$2)
	  unless another goroutine unlocks the mutex: Go does not record the owner; it was inferred from that function's code
	  remedy: $7
	T
}

ONCE='A function given to Do must not call Do of the same Once, nor wait for somebody who does: take locks and wait for others outside it.'
REREAD='Do not lock a read-write mutex again while holding it for reading: a writer waits until all have read, and meanwhile no new reader is let in.'
ORDER='Take these locks in the same order everywhere, or try the second one and release the first if that fails.'

once_text()
{
	cat <<-T
	error: deadlock: goroutine N of cases[PID] can never proceed: it waits for the first call of \`main.config\` (sync.Once)
	  self, certain
	  goroutine N of cases[PID]
	      waits for the first call of \`main.config\` (sync.Once) at cases.go:271 (main.configure),
	      which it already holds itself
	  remedy: $ONCE
	T
}

oncecross_text()
{
	crossed_text 276 onceSlow 'mutex `main.audit` (sync.Mutex)' 284 onceHolder 'first call of `main.config` (sync.Once)' "$ONCE"
}

reread_text()
{
	# Nobody has what the reader wants: a writer stands in front of it.
	crossed_text 299 rereads 'read-write mutex `main.table` (sync.RWMutex)' 305 writer 'read-write mutex `main.table` (sync.RWMutex)' "$REREAD" |
		sed '5s/which is held by \(.*\), now/behind the writer \1, which is also waiting for it, now/'
}

upgrade_text()
{
	cat <<-T
	warning: stuck: goroutine N of cases[PID] cannot proceed: it waits for the read-write mutex \`main.table\` (sync.RWMutex)
	  self, conditional
	  goroutine N of cases[PID]
	      waits for the read-write mutex \`main.table\` (sync.RWMutex) at cases.go:312 (main.upgrade),
	      which it already holds itself
	  unless another goroutine unlocks the mutex: Go does not record the owner; it was inferred from that function's code
	  remedy: $REREAD
	T
}

readwrite_text()
{
	crossed_text 320 store 'mutex `main.audit` (sync.Mutex)' 328 lookup 'read-write mutex `main.table` (sync.RWMutex)' "$ORDER"
}

grouplock_text()
{
	cat <<-'T'
	warning: stuck: goroutine N of cases[PID] and goroutine N of cases[PID] wait for each other
	  cycle of 2, conditional
	  goroutine N of cases[PID]
	      waits for the wait group ADDRESS (sync.WaitGroup) at cases.go:365 (main.groupLock),
	      and every thread that could call its Done is blocked
	  goroutine N of cases[PID]
	      waits for the mutex `main.audit` (sync.Mutex) at cases.go:362 (main.groupLock.func1),
	      which is held by goroutine N of cases[PID], now at cases.go:365 (main.groupLock)
	  unless a finalizer does it, after Go's garbage collector has run, which it does every two minutes
	  unless another goroutine unlocks the mutex: Go does not record the owner; it was inferred from that function's code
	  remedy: Do not hold a lock while waiting for something that other threads can only do while holding that lock.
	T
}

# alone_text LINE FUNCTION WHAT RELEASE: one goroutine that waits for what nobody else has.
alone_text()
{
	cat <<-T
	warning: stuck: goroutine N of cases[PID] cannot proceed: it waits for the $3
	  abandoned, conditional
	  goroutine N of cases[PID]
	      waits for the $3 at cases.go:$1 (main.$2),
	      and every thread that could $4 is blocked
	  unless a finalizer does it, after Go's garbage collector has run, which it does every two minutes
	  remedy: Make sure that what is waited for happens on every path, including error paths, or wait with a timeout.
	T
}

groupforgot_text()
{
	alone_text 373 groupForgot 'wait group ADDRESS (sync.WaitGroup)' 'call its Done'
}

leaked_text()
{
	alone_text 379 ask.func1 'channel ADDRESS (runtime.chan)' 'use its other side'
}

condlost_text()
{
	alone_text 420 '(*shelf).take' 'condition variable ADDRESS (sync.Cond)' 'signal it'
}

condnested_text()
{
	cat <<-'T'
	warning: stuck: goroutine N of cases[PID] and goroutine N of cases[PID] wait for each other
	  cycle of 2, conditional
	  goroutine N of cases[PID]
	      waits for the condition variable ADDRESS (sync.Cond) at cases.go:420 (main.(*shelf).take),
	      and every thread that could signal it is blocked
	  goroutine N of cases[PID]
	      waits for the mutex `main.audit` (sync.Mutex) at cases.go:437 (main.nested.func1),
	      which is held by goroutine N of cases[PID], now at cases.go:420 (main.(*shelf).take)
	  unless a finalizer does it, after Go's garbage collector has run, which it does every two minutes
	  unless another goroutine unlocks the mutex: Go does not record the owner; it was inferred from that function's code
	  remedy: Do not hold a lock while waiting for something that other threads can only do while holding that lock.
	T
}

child_text()
{
	cat <<-'T'
	warning: stuck: goroutine N of cases[PID] and goroutine N of cases[PID] wait for each other
	  cycle of 2, conditional
	  goroutine N of cases[PID]
	      waits for its child cases[PID] to exit at cases.go:95 (main.child)
	  goroutine N of cases[PID]
	      waits to write to the full pipe N (cases -> cases) at cases.go:86 (main.child),
	      whose read end is open in cases[PID] (fd N)
	  unless Go's garbage collector, which runs every two minutes, closes the other end because nothing refers to it any more
	  remedy: Read the child's output to its end first, then wait for the child.
	T
}

feed_text()
{
	cat <<-'T'
	warning: stuck: goroutine N of cases[PID] and goroutine N of cases[PID] wait for each other
	  cycle of 2, conditional
	  goroutine N of cases[PID]
	      waits for the wait group ADDRESS (sync.WaitGroup) at cases.go:169 (main.feed),
	      and every thread that could call its Done is blocked
	  goroutine N of cases[PID]
	      waits for the channel ADDRESS (runtime.chan) at cases.go:166 (main.feed.func1),
	      and every thread that could use its other side is blocked
	  unless a finalizer does it, after Go's garbage collector has run, which it does every two minutes
	  remedy: Let a thread that depends on none of the others provide what is waited for, or wait with a timeout.
	T
}

joins_text()
{
	cat <<-'T'
	warning: stuck: goroutine N of cases[PID], goroutine N of cases[PID] and goroutine N of cases[PID] wait for each other
	  knot of 3, conditional
	  goroutine N of cases[PID]
	      waits for the wait group ADDRESS (sync.WaitGroup) at cases.go:186 (main.joins),
	      and every thread that could call its Done is blocked
	  goroutine N of cases[PID]
	      waits for the wait group ADDRESS (sync.WaitGroup) at cases.go:180 (main.joins.func1),
	      and every thread that could call its Done is blocked
	  goroutine N of cases[PID]
	      waits for the wait group ADDRESS (sync.WaitGroup) at cases.go:184 (main.joins.func2),
	      and every thread that could call its Done is blocked
	  unless a finalizer does it, after Go's garbage collector has run, which it does every two minutes
	  remedy: Let a thread that depends on none of the others provide what is waited for, or wait with a timeout.
	T
}

# Of two that are crossed either may stand first.
are_wanted()
{
	findings out | sed -E 's/goroutine [0-9]+/goroutine N/g; s/(empty pipe) [0-9]+/\1 N/; s/(TCP connection) [0-9.:]+ -> [0-9.:]+/\1 N/
		s/ at sort\+ADDRESS//; s/^(warning: stuck: )(goroutine N of polls.*) and (sort.PID.)/\1\3 and \2/' | sort >.found
	"$1" | sort | diff - .found >.difference
}

sorted_findings()
{
	are_wanted "$1" || fail "found (>) and wanted (<) differ" "$(cat .difference)" "$(cat out)"
}

# has_text WORD: pptrace why says it of the program now.
has_text()
{
	"$PPTRACE" why "$pid" >out 2>&1
	status=$?
	grep -q -- "$1" out
}

# has_findings FUNCTION: pptrace why has found what the function prints.
has_findings()
{
	has_text '^error: deadlock\|^warning: stuck' && are_wanted "$1"
}

# why_cases PROGRAM VERSION: what pptrace why says of it.
why_cases()
{
	local case
	for case in $HANGING; do
		begin "why, Go $2: $case"
		start "$1" "$case"
		wait_for 60 has_findings "${case}_text" || sorted_findings "${case}_text"
		expect_status "$("${case}_text" | grep -c '^error:')"
		stop
		end
	done
	for case in $HEALTHY; do
		begin "why, Go $2: $case is not accused"
		start "$1" "$case"
		wait_for 60 has_text 'goroutine 1: '
		for _ in 1 2 3; do
			expect_out '^No deadlock was found'
			expect_status 0
			run "$PPTRACE" why "$pid"
		done
		[ "$case" != many ] || expect_out 'waits for the channel .*; and 999 more threads in the same wait'
		stop
		end
	done
}
why_cases ./cases 1.19

# stack_cases PROGRAM VERSION: what lies on a stack counts where code will read it, and not elsewhere.
stack_cases()
{
	local case
	for case in stale copied noted; do
		begin "why, Go $2: a word that no code will take for a pointer keeps nobody alive ($case)"
		start "$1" "$case"
		wait_for 20 has_text '^warning: stuck'
		case $case in
		stale) expect_out '      waits for the channel .* at stacks.go:32 \(main.stale.func1\)' ;;
		copied) expect_out '      waits for the mutex .* at stacks.go:73 \(main.counter.add\)' ;;
		noted) expect_out '      waits for the channel .* at stacks.go:[0-9]+ \(main.noted.func1\)' ;;
		esac
		stop
		end
	done
	for case in read pointed deferred timed; do
		begin "why, Go $2: what a stack or a timer will lead to keeps its owner alive ($case)"
		start "$1" "$case"
		wait_for 20 has_text 'waits for the channel'
		for _ in 1 2 3; do
			expect_out '^No deadlock was found'
			run "$PPTRACE" why "$pid"
		done
		stop
		end
	done
}
stack_cases ./stacks 1.19

# crossed_owners FIRST SECOND: the places of two goroutines that wait for each other, as why says them.
crossed_owners()
{
	expect_out "^      waits for the .* at $1,\$"
	expect_out "^      which is held by goroutine [0-9]+ of owners\[[0-9]+\], now at $1\$"
	expect_out "^      waits for the .* at $2,\$"
	expect_out "^      which is held by goroutine [0-9]+ of owners\[[0-9]+\], now at $2\$"
	expect_out '^  cycle of 2, conditional'
}

# has_owners TEXT: where each goroutine is that waits, and where the one that has what it waits for.
has_owners()
{
	"$PPTRACE" why "$pid" >out 2>&1
	awk '/^ *goroutine [0-9]+: /{ id = $2; sub(/:/, "", id) } /held by goroutine/{ by[id] = $4 } / at owners.go/{ at[id] = $2 }
		END { for (id in by) print at[id], at[by[id]] }' out | sort >.owners
	[ "$(cat .owners)" = "$1" ]
}

# owner_cases PROGRAM VERSION: who has locked what a method or a closure was given.
owner_cases()
{
	begin "why, Go $2: methods and closures have what they have locked, and not what they had before"
	start "$1" methods
	wait_for 20 has_text '^warning: stuck'
	crossed_owners 'owners.go:32 \(main.\(\*store\).sync\)' 'owners.go:40 \(main.\(\*cache\).flush\)'
	stop
	start "$1" closures
	wait_for 20 has_text '^warning: stuck'
	crossed_owners 'owners.go:57 \(main.closures.func1\)' 'owners.go:64 \(main.closures.func2\)'
	stop
	start "$1" rounds
	wait_for 20 has_owners "owners.go:75 owners.go:86
owners.go:86 owners.go:78"
	expect_eq "$(cat .owners)" "owners.go:75 owners.go:86
owners.go:86 owners.go:78" "who has what"
	stop
	end
	begin "why, Go $2: what another goroutine or a timer is going to unlock belongs to nobody"
	for how in closure deferred value timer timerclosure reader; do
		start "$1" handed $how
		wait_for 20 has_text "waits for the .*(sync[.].*Mutex)" || fail "$how: nobody waits" "$(cat out)"
		run "$PPTRACE" why "$pid"
		expect_out '^No deadlock was found'
		stop
	done
	start "$1" handed worker
	wait_for 20 has_text '^warning: stuck'
	expect_out '^      which it already holds itself$'
	stop
	end
}
owner_cases ./owners 1.19

# Each of them was compared with each other one by a query, which would take ten times as long as this; and by the reader, which took two seconds.
begin "why, Go: 4,000 goroutines that wait for a mutex each: at most 5 s of processor time"
start ./owners apart
wait_for 60 has_text '^ *goroutine 1: sleeps'
run bash -c 'ulimit -t 5; exec "$@"' bash "$PPTRACE" why "$pid"
expect_status 0
expect_out '^No deadlock was found'
expect_eq "$(grep -c 'goroutine [0-9]*: waits for the mutex' out)" 4000 "goroutines that wait for a mutex"
stop
end

# Two of them are crossed.
begin "why, Go: more functions that lock something than are gone through"
start ./owners nested
wait_for 60 has_text 'goroutine [0-9]*: waits for the mutex'
run "$PPTRACE" why "$pid"
expect_status 0
expect_out '^No deadlock was found'
expect_err "^pptrace: Of process $pid it is not known which goroutines have the mutexes that others wait for: more than [0-9]+ functions on their stacks lock something\.\$"
stop
end

filter_text()
{
	cat <<-'T'
	warning: stuck: sort[PID] and goroutine N of polls[PID] wait for each other
	  cycle of 2, conditional
	  sort[PID]
	      waits to read from the empty pipe N (polls -> sort),
	      whose write end is open in polls[PID] (fd N)
	  goroutine N of polls[PID]
	      waits to read from the empty pipe N (sort -> polls) at polls.go:25 (main.filter),
	      whose write end is open in sort[PID] (fd N)
	  unless Go's garbage collector, which runs every two minutes, closes the other end because nothing refers to it any more
	  remedy: Let one side send first, and flush what it has buffered before it waits for the answer; close the ends that are not used.
	T
}

ask_text()
{
	cat <<-'T'
	warning: stuck: goroutine N of polls[PID] and goroutine N of polls[PID] wait for each other
	  cycle of 2, conditional
	  goroutine N of polls[PID]
	      waits to read from the empty TCP connection N at polls.go:75 (main.ask),
	      whose other side is open in polls[PID] (fd N)
	  goroutine N of polls[PID]
	      waits for the mutex `main.state` (sync.Mutex) at polls.go:63 (main.answer),
	      which is held by goroutine N of polls[PID], now at polls.go:75 (main.ask)
	  unless another goroutine unlocks the mutex: Go does not record the owner; it was inferred from that function's code
	  remedy: Do not hold a lock while reading or writing a pipe whose other side needs that lock.
	T
}

# never_text LINE FUNCTION WHAT WHY REMEDY BEHIND: one goroutine that waits for what never comes.
never_text()
{
	cat <<-T
	warning: stuck: goroutine N of polls[PID] cannot proceed: it waits for the $3
	  abandoned, conditional
	  goroutine N of polls[PID]
	      waits for the $3 at polls.go:$1 (main.$2),
	      which $4${6:-}
	  unless the program is meant to wait there until it is killed
	  remedy: $5
	T
}

EMPTY='An empty select never ends: to wait for other goroutines use a sync.WaitGroup or a channel.'

nothing_text()
{
	never_text 126 nothing 'end of an empty select (runtime.select {})' 'never comes' "$EMPTY"
}

nilChannel_text()
{
	never_text 133 nilChannel 'nil channel (runtime.nil chan)' 'nobody can use' \
		'Make the channel before it is used: nothing ever passes through a nil channel.'
}

joinsNothing_text()
{
	never_text 143 joinsNothing.func1 'end of an empty select (runtime.select {})' 'never comes' "$EMPTY" '
  waiting behind them: goroutine N of polls[PID]'
}

# poll_cases PROGRAM VERSION: goroutines that wait for pipes and sockets.
poll_cases()
{
	local case
	for case in filter ask nothing nilChannel joinsNothing; do
		begin "why, Go $2: a goroutine that reads, and nobody can write, or ever will ($case)"
		start "$1" "$case"
		wait_for 60 has_findings "${case}_text" || sorted_findings "${case}_text"
		expect_status 0
		stop
		end
	done
	for case in filterLate askForAWhile rest serves; do
		begin "why, Go $2: a goroutine that reads, and somebody may write, or it gives up ($case)"
		start "$1" "$case"
		wait_for 60 has_text 'goroutine 1: waits '
		for _ in 1 2 3; do
			expect_out '^No deadlock was found'
			run "$PPTRACE" why "$pid"
		done
		case $case in
		filterLate) expect_out 'goroutine 1: waits to read from the empty pipe [0-9]+ \(sort -> polls\)$' ;;
		askForAWhile) expect_out 'goroutine 1: waits to read from the empty TCP connection .*, with a timeout$' ;;
		rest) expect_out 'goroutine 1: waits for the socket: listening socket 127.0.0.1:[0-9]+$' ;;
		esac
		stop
		end
	done
}
poll_cases ./polls 1.19

# asks_text ASKS FUNCTION ANSWERS FUNCTION ACCEPTORS: one that asks its own program, and one that is to answer.
asks_text()
{
	cat <<-T
	warning: stuck: goroutine N of asks[PID] and goroutine N of asks[PID] wait for each other
	  cycle of 2, conditional
	  goroutine N of asks[PID]
	      waits to read from the empty TCP connection N at asks.go:$1 (main.$2),
	      whose other side is open in asks[PID] (fd N)
	  goroutine N of asks[PID]
	      waits for the mutex \`main.known\` (sync.Mutex) at asks.go:$3 (main.$4),
	      which is held by goroutine N of asks[PID], now at asks.go:$1 (main.$2)
	  unless another goroutine unlocks the mutex: Go does not record the owner; it was inferred from that function's code
	  unless $5, which waits for connections, or another goroutine answers instead, or ends the wait for the answer
	  remedy: Do not hold a lock while reading or writing a pipe whose other side needs that lock.
	T
}

request_text()
{
	asks_text 60 '(*registry).fetch' 30 '(*registry).show' 'goroutine N of asks[PID]'
}

page_text()
{
	request_text
}

line_text()
{
	asks_text 189 line 165 answerLines 'goroutine N of asks[PID] or goroutine N of asks[PID]'
}

# ask_cases PROGRAM VERSION: servers that ask themselves while they wait for connections.
ask_cases()
{
	local case text
	for case in request page again line; do
		begin "why, Go $2: a server that asks itself holds the mutex that its answer needs ($case)"
		text=${case}_text
		[ "$case" != again ] || text=request_text
		start "$1" "$case"
		wait_for 60 has_findings "$text" || sorted_findings "$text"
		expect_status 0
		stop
		end
	done
	for case in timed sleeps otherMutex handedOver idle; do
		begin "why, Go $2: a server that asks itself, and may be answered ($case)"
		start "$1" "$case"
		wait_for 60 has_text 'goroutine 1: '
		for _ in 1 2 3; do
			expect_out '^No deadlock was found'
			run "$PPTRACE" why "$pid"
		done
		stop
		end
	done
}
ask_cases ./asks 1.19

build_newer()
{
	local program
	for program in cases stacks owners polls asks; do
		GOTOOLCHAIN=local GOCACHE=$BUILD/go-cache-1.24 "$BUILD/golang/1.24/usr/lib/go-1.24/bin/go" build -o newer/ $program.go || return 1
	done
}

# The program has one name, whoever compiled it: it is in what pptrace says.
begin "Go 1.24 can be had"
mkdir newer
cannot=$(release_cannot golang 1.24)
if [ -n "$cannot" ]; then
	skip "$cannot"
elif ! build_newer >newer.log 2>&1; then
	fail "it does not compile" "$(cat newer.log)"
fi
end
[ ! -x newer/cases ] || why_cases newer/cases 1.24
[ ! -x newer/stacks ] || stack_cases newer/stacks 1.24
[ ! -x newer/owners ] || owner_cases newer/owners 1.24
[ ! -x newer/polls ] || poll_cases newer/polls 1.24
[ ! -x newer/asks ] || ask_cases newer/asks 1.24

# says_stripped FILE: the recording, which grows, says that a program is stripped.
says_stripped()
{
	sql "$1" "SELECT blind_spots FROM trace" | grep -q 'program is stripped'
}

FOLDER=$PWD

# told_cases BACKEND: what is said while a program runs, and found in its recording.
told_cases()
{
	local backend=$1 case program
	for case in $HANGING; do
		begin "$backend: Go: $case is told while it lasts, and found in the recording"
		background "$PPTRACE" run --backend="$backend" --watch=0.5 -o go.db "$FOLDER/cases" "$case"
		wait_for 60 told_text
		cp err out
		sorted_findings "${case}_text"
		kill -TERM $!
		wait_end $!
		if [ "$case" != child ] || [ "$backend" != shim ]; then
			run "$PPTRACE" diagnose go.db
			sed -i '/^  .*SIGTERM/d' out
			sorted_findings "${case}_text"
		fi
		expect_sql go.db "SELECT count(*) > 0 FROM thread WHERE runtime_name LIKE 'goroutine %'" 1
		if [ "$case" = cross ]; then
			expect_sql go.db "SELECT name, type FROM lock WHERE kind = 'object' ORDER BY 1" "main.audit|sync.Mutex
main.ledger|sync.Mutex"
			expect_sql go.db "SELECT DISTINCT s.language, s.function, s.line FROM wait w JOIN site s ON s.id = w.site_id
				WHERE w.reason = 'lock' ORDER BY 3" "go|main.transfer|29
go|main.report|36"
		fi
		end
	done
	for case in polls:filter polls:ask asks:request; do
		program=${case%:*} case=${case#*:}
		begin "$backend: Go: a goroutine that reads, and nobody can write ($case), is told while it lasts, and found in the recording"
		background "$PPTRACE" run --backend="$backend" --watch=0.5 -o polls.db "$FOLDER/$program" "$case"
		wait_for 60 told_text
		cp err out
		sorted_findings "${case}_text"
		kill -TERM $!
		wait_end $!
		run "$PPTRACE" diagnose polls.db
		sed -i '/^  .*SIGTERM/d' out
		sorted_findings "${case}_text"
		end
	done
	for case in $HEALTHY; do
		begin "$backend: Go: $case is not accused"
		run "$PPTRACE" run --backend="$backend" --watch=0.3 --timeout=5 -o go.db "$FOLDER/cases" "$case"
		expect_no_err 'stuck|deadlock'
		expect_sql go.db "SELECT count(*) FROM finding WHERE severity <> 'info'" 0
		end
	done
}
side_by_side told_cases $(backends)
if [ -n "${LONG:-}" ] && [ -x newer/polls ]; then
	FOLDER=$PWD/newer HANGING="cross feed joins child" HEALTHY="pool server"
	for backend in $(backends); do
		told_cases "$backend"
	done
fi

begin "shim: a static Go program is said to be one; one that a shell starts is named, and looked at from outside"
CGO_ENABLED=0 go build -o static cases.go
run "$PPTRACE" run --backend=shim -o static.db ./static cross
expect_status 125
expect_err '^pptrace: ./static is static'
background "$PPTRACE" run --backend=shim --watch=0.5 -o static.db sh -c './static cross; true'
wait_for 60 told_text
sed 's/static\[/cases[/g' err >out
sorted_findings cross_text
# The shell waits for it.
pkill -P "$(pgrep -P $! sh)"
wait_end $!
expect_sql static.db "SELECT count(*) FROM trace, json_each(blind_spots)
	WHERE value LIKE 'process % (static) makes its system calls itself (Go): %'" 1
end

begin "attach, Go: two goroutines crossed on two mutexes"
start ./cases cross
wait_for 60 has_text '^warning: stuck'
background "$PPTRACE" attach --watch=0.5 -o attached.db -p "$pid"
attached=$!
wait_for 40 told_text
cp err out
sorted_findings cross_text
kill -INT $attached
wait_end $attached
stop
end

begin "why, Go: what cannot be seen of a stripped program is said"
for program in nodebug stripped; do
	start "./$program" cross
	wait_for 60 has_text 'goroutines cannot be seen'
	expect_out '^No deadlock was found' 
	stop
done
end

begin "diagnose, Go: a recording of a stripped program says what could not be seen"
for backend in $(backends); do
	rm -f stripped.db # the other backend's says it too
	background "$PPTRACE" run --backend="$backend" --watch=0.3 -o stripped.db ./stripped cross
	wait_for 40 says_stripped stripped.db
	kill -TERM $!
	wait_end $!
	run "$PPTRACE" diagnose stripped.db
	expect_out '^  Threads and locks of process [0-9]+ are shown as the kernel sees them: its Go program is stripped \(-ldflags=-s\)'
done
end

# Frames of goroutines from the text that Go itself prints: "mutex.go:90 (sync.(*Mutex).Lock)", one a line.
go_frames()
{
	awk '/^goroutine [0-9]+ /{ id = $2 } /^created by/ { skip = 2 } skip { skip--; next }
		/^\t/ { sub(/.*\//, ""); sub(/ .*/, ""); if (f != "runtime.goexit") print id, $0 " (" f ")"; f = ""; next }
		{ f = $0; sub(/\([^()]*\)$/, "", f) }' err | sort -u
}

begin "why, Go: the frames are those that Go prints of itself"
GOTRACEBACK=system ./cases accounts >/dev/null 2>err </dev/null &
pid=$!
wait_for 60 has_text '^warning: stuck'
"$PPTRACE" why -v "$pid" >out 2>&1
kill -QUIT "$pid"
wait_end "$pid" 2>/dev/null
awk '/^ *goroutine [0-9]+: /{ id = $2; sub(/:/, "", id) } /^ *at / && id { sub(/^ *at /, ""); print id, $0 }' out | sort -u >.ours
go_frames >.theirs
comm -23 .ours .theirs >.only
[ "$(wc -l <.ours)" -ge 15 ] || fail "only $(wc -l <.ours) frames" "$(cat out)"
[ ! -s .only ] || fail "Go does not print these frames" "$(cat .only)" "$(cat err)"
end
