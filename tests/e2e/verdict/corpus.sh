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

# What is done several times a second for each of ten programs is done without starting a process: on a slow machine
# that would take longer than what is tested.

# read_head FILE: sets head to what its first comment says, by word.
declare -A head
read_head()
{
	local lines line
	head=([expect]='' [forbid]='' [all]='' [misses]='' [restless]='' [alone]='')
	mapfile -t -n 20 lines <"$1"
	for line in "${lines[@]}"; do
		[[ $line =~ ^[#/*\ ]*([a-z]+):\ *(.*)$ ]] && head[${BASH_REMATCH[1]}]+="${BASH_REMATCH[2]} "
	done
}

# list_tree PID...: sets tree to these processes and all their descendants.
list_tree()
{
	local i file children
	tree=("$@")
	for ((i = 0; i < ${#tree[@]}; i++)); do
		if [ -e /proc/self/task/$BASHPID/children ]; then
			for file in "/proc/${tree[i]}"/task/*/children; do
				children=()
				read -ra children <"$file"
				tree+=("${children[@]}")
			done
		else # a kernel without CONFIG_PROC_CHILDREN
			mapfile -t children < <(ps -o pid= --ppid "${tree[i]}" | tr -d ' ')
			tree+=("${children[@]}")
		fi
	done 2>/dev/null
}

# put_down PID...: kills them with their descendants.
put_down()
{
	list_tree "$@"
	kill -KILL "${tree[@]}" 2>/dev/null
}

# list_said HOW: sets said to the rules that were reported while it ran.
list_said()
{
	local lines line pattern='^error: ()(deadlock):|^pptrace: (possibly )?(stuck|pipe-end-leak):' file=err
	[ "$1" != why ] || pattern='^(error|warning): (deadlock|stuck|pipe-end-leak):' file=out
	said=
	[ -f $file ] || return 0
	mapfile -t lines <$file
	for line in "${lines[@]}"; do
		[[ $line =~ $pattern ]] && said+="${BASH_REMATCH[2]}${BASH_REMATCH[4]:-} "
	done
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

# is_said EXPECT HOW: true if one of these rules was reported.
is_said()
{
	list_said "$2"
	is_any "$1" "$said"
}

# list_switches PID...: sets switches to the state of each thread of these processes and their descendants, and how
# often it has been switched out so far, as one text.
list_switches()
{
	local pid file lines
	switches=
	list_tree "$@"
	for pid in "${tree[@]}"; do
		for file in /proc/"$pid"/task/*/status; do
			mapfile -t lines <"$file"
			lines=("${lines[@]/#[!vnS]*/}")
			switches+=${lines[*]}
		done
	done 2>/dev/null
}

# at_rest PID...: true if none of the processes and their descendants ran in the last 0.3 s, or waits for a processor.
at_rest()
{
	local before
	list_switches "$@"
	before=$switches
	nap 0.3
	list_switches "$@"
	[ -n "$switches" ] && [ "$before" = "$switches" ] && [[ $switches != *State:?R* ]]
}

# until_rest SECONDS PID...: waits until they are at rest, have ended, or have not come to rest for so long.
until_rest()
{
	local deadline=$((EPOCHSECONDS + $1))
	shift
	until at_rest "$@" || [ -z "$switches" ] || [ $EPOCHSECONDS -ge $deadline ]; do
		nap 0.1
	done
}

# has_begun PPTRACE: true once the command runs that it has started. On a busy machine that takes a while, in which there is
# nothing that could come to rest. Sets tree.
has_begun()
{
	local pid
	list_tree "$1"
	for pid in "${tree[@]:1}"; do
		[ -e "/proc/$pid/exe" ] && ! [ "/proc/$pid/exe" -ef "$PPTRACE" ] && return 0
	done
	return 1
}

# watch_live HOW EXPECT COMMAND...: runs it until one of the rules is reported or it has been at rest for a while.
watch_live()
{
	local options=(--backend="$1") expect=$2 deadline lines
	[ "$1" != ebpf ] || options+=(--locks=futex)
	shift 2
	"$PPTRACE" run "${options[@]}" --watch=0.3 --on-deadlock=kill -o t.db "$@" >out 2>err </dev/null &
	local pptrace=$! since=$EPOCHREALTIME
	if [ -n "$expect" ] && [ "$expect" != missed ]; then
		deadline=$((EPOCHSECONDS + LATE))
		until is_said "$expect" run || ! is_running $pptrace || [ $EPOCHSECONDS -gt $deadline ]; do
			nap 0.1
		done
	else
		until has_begun $pptrace || ! is_running $pptrace; do
			nap 0.02
		done
		[ -n "${head[restless]}" ] || until_rest "$PATIENCE" "${tree[@]:1}"
		nap $REST
	fi
	took=$(seconds "$since")
	# All at once: if one died alone, the others would see its end, and hang in another way. Repeated until no new one has appeared.
	while is_running $pptrace; do
		list_tree $pptrace
		mapfile -t lines < <(sql t.db 'SELECT pid FROM process WHERE end_ns IS NULL')
		[[ "${lines[*]}" =~ ^[0-9\ ]*$ ]] || lines=()
		put_down "${tree[@]:1}" "${lines[@]}"
		nap 0.1
	done
	wait_end $pptrace
	mapfile -t lines < <(sql t.db "SELECT DISTINCT rule FROM finding WHERE rule IN ('deadlock', 'stuck', 'pipe-end-leak')")
	file="${lines[*]}"
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
		until_rest "$PATIENCE" $pid
	else
		nap $REST
	fi
	local since
	for ((i = 0; i < 5; i++)); do
		since=$EPOCHREALTIME
		timeout 30 "$PPTRACE" why $pid >out 2>err
		if [ -z "$restless" ] || [ -z "$expect" ] || is_said "$expect" why; then
			break
		fi
		nap $REST
	done
	took=$(seconds "$since")
	[ -z "$all" ] || timeout 30 "$PPTRACE" why --all $pid >all 2>&1
	cat program >>out
	put_down $pid
	wait_end $pid 2>/dev/null
	file=
}

# seconds SINCE: how many have passed since then ($EPOCHREALTIME), with one decimal place.
seconds()
{
	local tenths=$(((${EPOCHREALTIME/./} - ${1/./}) / 100000))
	echo "$((tenths / 10)).$((tenths % 10))"
}

# note NAME HOW EXPECT FORBID: a line for the table.
note()
{
	local result
	list_said "$2"
	if grep -q '^skip: ' out; then
		result=skipped
	elif [ -n "$3" ]; then
		is_any "$3" "$said" && result=found || result=missed
	else
		is_any "$4" "$said $file" && result=false || result=quiet
	fi
	printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "${3:+hangs}${4:+healthy}" "$result" "$took" >>"$CORPUS_TABLE"
}

# try FILE HOW: the test of one program, whose head was read.
try()
{
	local program=$1 how=$2 name=${1##*/} file='' said='' missed='' command took
	local expect=${head[expect]} forbid=${head[forbid]} misses=${head[misses]} all=${head[all]}
	# Seconds until it is at rest. It matters where something must be found then; a healthy one is watched all the same.
	local PATIENCE=5
	[ -z "$expect$all" ] || PATIENCE=60
	[[ " $misses " != *" $how "* ]] || missed=missed PATIENCE=5
	begin "$name, $how: ${expect:+is found}${forbid:+is left alone}"
	mkdir -p "$TMP/$name.$how"
	cd "$TMP/$name.$how" || exit
	case $name in
	*.py) command=("$python" "$program") ;;
	*.sh) command=(bash "$program") ;;
	*.java) command=(java -cp "$BUILD/tests/corpus" "${name%.java}") ;;
	*) command=("$BUILD/tests/corpus/${name%.*}") ;;
	esac
	# A verdict that cannot come is not waited for; the program is watched all the same.
	if [ "$how" = why ]; then
		watch_why "$missed${head[restless]}" "$expect" "${command[@]}" 2>/dev/null
	else
		watch_live "$how" "${missed:-$expect}" "${command[@]}" 2>/dev/null
	fi
	[ -z "${CORPUS_TABLE:-}" ] || note "$name" "$how" "$expect" "$forbid"
	list_said "$how"
	if grep -q '^skip: ' out; then
		skip "$(sed -n 's/^skip: //p' out)"
	elif [ -n "$forbid" ]; then
		! is_any "$forbid" "$said" || fail "it was said: $said"
		! is_any "$forbid" "$file" || fail "the file says: $file"
		[ -z "$all" ] || [ -n "$missed" ] || is_any "$all" "$(sed -nE 's/^[a-z]+: ([a-z-]+):.*/\1/p' all | tr '\n' ' ')" ||
			fail "with --all $all is not told" "$(head -c 1000 all)"
	elif [ -n "$missed" ]; then
		skip "not seen by $how"
	else
		is_any "$expect" "$said" || fail "$expect was not said"
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
	) >"$TMP/${1##*/}.$2.tap" 2>&1 &
}

# Their lines in the order of the names.
hows="$(backends) why"
running=0 alone=()
for file in "$CORPUS"/*/*.{c,cc,rs,go,java,py,sh}; do
	[ -f "$file" ] || continue
	[[ ${file##*/} == *"${CORPUS_ONLY:-}"* ]] || continue
	read_head "$file"
	if [ -n "${head[alone]}" ]; then
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
	read_head "$file"
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
		read_head "$file"
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
