#!/usr/bin/env bash
# corpus.sh - each program of tests/corpus on every backend, and with why: exactly what its first comment says must be reported.
# SPDX-License-Identifier: MIT
#
# The head of a program (its first comment) has lines of the form WORD: VALUE.
#   expect: RULE...   it hangs: one of these rules must be reported while it does (live; why)
#   forbid: RULE...   it does not hang: none of these may be reported, neither while it rests nor in the file afterwards
#   all:    RULE...   it is at rest: with --all one of these is reported
#   misses: HOW WHY   this backend (auto, ebpf, shim, why) cannot see what is expected; what is forbidden it must not report either
#   restless: WHY     it never rests: why is asked after a while
#   alone:  WHY       nothing else of the corpus runs meanwhile
#   source: WHERE     public reports of the kind
# A program that cannot run here prints "skip: REASON". CORPUS_TABLE names a file that gets a line for each test:
# program, how, hangs or healthy, what came of it, seconds until it was told (make corpus).
. "$(dirname "$0")/../../lib.sh"

CORPUS=$ROOT/tests/corpus
REST=2.5 # seconds for which a program that does not hang is watched
LATE=40  # seconds within which one that hangs must be found
JOBS=10  # at a time: most of them only wait

[ -n "${CORPUS_BUILT:-}" ] || make -s -C "$ROOT" programs >/dev/null || exit 1
python=$(python3 -c 'import sys; print(sys.executable)')

# head_of FILE WORD: the values of that word in the head of the program. Without another program: it is asked thousands of times.
head_of()
{
	local lines line all='' pattern="^[#/* ]*$2: *(.*)"
	mapfile -t -n 20 lines <"$1"
	for line in "${lines[@]}"; do
		[[ $line =~ $pattern ]] && all+="${BASH_REMATCH[1]} "
	done
	echo "${all% }"
}

# tree PID...: these processes and all their descendants.
tree()
{
	local pids=("$@")
	while [ ${#pids[@]} != 0 ]; do
		printf '%s\n' "${pids[@]}"
		mapfile -t pids < <(ps -o pid= --ppid "$(IFS=,; echo "${pids[*]}")" | tr -d ' ')
	done
}

# put_down PID...: kills them with their descendants.
put_down()
{
	local pids
	mapfile -t pids < <(tree "$@")
	kill -KILL "${pids[@]}" 2>/dev/null
}

# said HOW: the rules that were reported while it ran. Without another program, as head_of.
said()
{
	local from=err pattern='^(error: (deadlock)|pptrace: (possibly )?(stuck|pipe-end-leak)):' lines=() line rule told=' '
	if [ "$1" = why ]; then
		from=out pattern='^(error|warning): (deadlock)?()(stuck|pipe-end-leak)?:'
	fi
	[ ! -f $from ] || mapfile -t lines <$from
	for line in "${lines[@]}"; do
		[[ $line =~ $pattern ]] || continue
		rule=${BASH_REMATCH[2]}${BASH_REMATCH[4]}
		[ -z "$rule" ] || [[ $told == *" $rule "* ]] || told+="$rule "
	done
	echo "${told# }"
}

# is_any WANTED SAID: true if one word of the first is among those of the second.
is_any()
{
	local word
	for word in $1; do
		[[ " $2 " == *" $word "* ]] && return 0
	done
	return 1
}

# at_rest PID: true if none of the tree ran in the last 0.3 s.
at_rest()
{
	local before after
	before=$(switches "$1")
	sleep 0.3
	after=$(switches "$1")
	[ -n "$after" ] && [ "$before" = "$after" ]
}

# switches PID: how often each thread of the tree has been switched out so far, as one text.
switches()
{
	local pid
	for pid in $(tree "$1"); do
		grep -h ctxt /proc/"$pid"/task/*/status 2>/dev/null
	done
}

# watch_live HOW EXPECT COMMAND...: runs it until one of the rules is reported or it has been at rest for a while.
watch_live()
{
	local options=(--backend="$1") expect=$2 deadline
	[ "$1" != ebpf ] || options+=(--locks=futex)
	shift 2
	"$PPTRACE" run "${options[@]}" --watch=0.3 --on-deadlock=kill -o t.db "$@" >out 2>err </dev/null &
	local pptrace=$! since=$EPOCHREALTIME
	if [ -n "$expect" ] && [ "$expect" != missed ]; then
		deadline=$((EPOCHSECONDS + LATE))
		until is_any "$expect" "$(said run)" || ! kill -0 $pptrace 2>/dev/null || [ $EPOCHSECONDS -gt $deadline ]; do
			sleep 0.1
		done
	else
		wait_for 60 test -s t.db
		sleep $REST
	fi
	took=$(seconds "$since")
	# All at once: if one died alone, the others would see its end, and hang in another way. Repeated until no new one has appeared.
	while kill -0 $pptrace 2>/dev/null; do
		# shellcheck disable=SC2046
		put_down $(ps -o pid= --ppid $pptrace; sql t.db 'SELECT pid FROM process WHERE end_ns IS NULL' | grep -x '[0-9]*')
		sleep 0.2
	done
	wait_end $pptrace
	sql t.db "SELECT DISTINCT rule FROM finding WHERE rule IN ('deadlock', 'stuck', 'pipe-end-leak')" | tr '\n' ' ' >file
	[ -z "$all" ] || "$PPTRACE" diagnose --all t.db >all 2>&1
}

# watch_why RESTLESS EXPECT COMMAND...: starts it, waits until it is at rest, and asks. Who never rests is asked again for a while.
watch_why()
{
	local restless=$1 expect=$2
	shift 2
	"$@" >program 2>&1 </dev/null &
	local pid=$!
	if [ -z "$restless" ]; then
		wait_for 60 at_rest $pid
	else
		sleep $REST
	fi
	local since
	for ((i = 0; i < 5; i++)); do
		since=$EPOCHREALTIME
		timeout 30 "$PPTRACE" why $pid >out 2>err
		if [ -z "$restless" ] || [ -z "$expect" ] || is_any "$expect" "$(said why)"; then
			break
		fi
		sleep $REST
	done
	took=$(seconds "$since")
	[ -z "$all" ] || timeout 30 "$PPTRACE" why --all $pid >all 2>&1
	cat program >>out
	put_down $pid
	wait_end $pid 2>/dev/null
	: >file
}

# seconds SINCE: how many have passed since then ($EPOCHREALTIME).
seconds()
{
	printf '%s %s\n' "$EPOCHREALTIME" "$1" | awk '{ printf "%.1f", $1 - $2 }'
}

# note NAME HOW EXPECT FORBID: a line for the table.
note()
{
	local told result
	told="$(said "$2") $(cat file)"
	if grep -q '^skip: ' out; then
		result=skipped
	elif [ -n "$3" ]; then
		is_any "$3" "$(said "$2")" && result=found || result=missed
	else
		is_any "$4" "$told" && result=false || result=quiet
	fi
	printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "${3:+hangs}${4:+healthy}" "$result" "$took" >>"$CORPUS_TABLE"
}

# try FILE HOW: the test of one program.
try()
{
	local file=$1 how=$2 name expect forbid misses missed='' all command took
	name=$(basename "$file")
	expect=$(head_of "$file" expect)
	forbid=$(head_of "$file" forbid)
	misses=$(head_of "$file" misses)
	all=$(head_of "$file" all)
	[[ " $misses " != *" $how "* ]] || missed=missed
	begin "$name, $how: ${expect:+is found}${forbid:+is left alone}"
	mkdir -p "$TMP/$name.$how"
	cd "$TMP/$name.$how" || exit
	case $name in
	*.py) command=("$python" "$file") ;;
	*.sh) command=(bash "$file") ;;
	*.java) command=(java -cp "$BUILD/tests/corpus" "${name%.java}") ;;
	*) command=("$BUILD/tests/corpus/${name%.*}") ;;
	esac
	# A verdict that cannot come is not waited for; the program is watched all the same.
	if [ "$how" = why ]; then
		watch_why "$missed$(head_of "$file" restless)" "$expect" "${command[@]}" 2>/dev/null
	else
		watch_live "$how" "${missed:-$expect}" "${command[@]}" 2>/dev/null
	fi
	[ -z "${CORPUS_TABLE:-}" ] || note "$name" "$how" "$expect" "$forbid"
	if grep -q '^skip: ' out; then
		skip "$(sed -n 's/^skip: //p' out)"
	elif [ -n "$forbid" ]; then
		! is_any "$forbid" "$(said "$how")" || fail "it was said: $(said "$how")"
		! is_any "$forbid" "$(cat file)" || fail "the file says: $(cat file)"
		[ -z "$all" ] || [[ " $misses " == *" $how "* ]] || is_any "$all" "$(sed -nE 's/^[a-z]+: ([a-z-]+):.*/\1/p' all | tr '\n' ' ')" ||
			fail "with --all $all is not told" "$(head -c 1000 all)"
	elif [[ " $misses " == *" $how "* ]]; then
		skip "not seen by $how"
	else
		is_any "$expect" "$(said "$how")" || fail "$expect was not said"
	fi
	[ -n "$test_ok" ] || fail "$(head -c 1500 err; [ "$how" != why ] || head -c 1500 out)"
	end
}

# try_later FILE HOW: the same in the background; its output goes to a file of its own.
try_later()
{
	(
		trap - EXIT
		try "$1" "$2"
	) >"$TMP/$(basename "$1").$2.tap" 2>&1 &
}

# Their lines in the order of the names.
hows="$(backends) why"
running=0 alone=()
for file in "$CORPUS"/*/*.{c,cc,rs,go,java,py,sh}; do
	[ -f "$file" ] || continue
	[[ $(basename "$file") == *"${CORPUS_ONLY:-}"* ]] || continue
	if [ -n "$(head_of "$file" alone)" ]; then
		alone+=("$file")
		continue
	fi
	for how in $hows; do
		try_later "$file" "$how"
		if [ $((++running)) -ge $JOBS ]; then
			wait -n
			running=$((running - 1))
		fi
	done
done
wait
for file in "${alone[@]}"; do
	for how in $hows; do
		try_later "$file" "$how"
		wait
	done
done
# What failed beside the others is run once more alone, as tests/run.sh does with a file; it says that of it.
for tap in "$TMP"/*.tap; do
	if [ -z "${CORPUS_TABLE:-}" ] && grep -q '^not ok' "$tap"; then
		file=$(basename "$tap" .tap)
		how=${file##*.}
		file=$(echo "$CORPUS"/*/"${file%.*}")
		rm -rf "${tap%.tap}"
		mv "$tap" "$tap.first"
		try_later "$file" "$how"
		wait
		if grep -q '^not ok' "$tap"; then
			continue
		fi
		sed 's/^/# first: /' "$tap.first"
		echo "# flaky: verdict/corpus: $(basename "$file"), $how"
	fi
done
for tap in "$TMP"/*.tap; do
	while IFS= read -r line; do
		if [[ $line =~ ^((not\ )?ok)\ [0-9]+\ (.*) ]]; then
			count=$((count + 1))
			line="${BASH_REMATCH[1]} $count ${BASH_REMATCH[3]}"
		fi
		printf '%s\n' "$line"
	done <"$tap"
done
