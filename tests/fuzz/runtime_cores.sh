#!/usr/bin/env bash
# runtime_cores.sh - cores of programs in the languages that are installed, for tests/fuzz/runtime.c.
# SPDX-License-Identifier: MIT
# usage: tests/fuzz/runtime_cores.sh FOLDER
set -u
tests=$(realpath "$(dirname "$0")/..")
folder=$(realpath -m "$1")
mkdir -p "$folder"
command -v gcore >/dev/null || { echo "# there is no gcore (gdb): the readers of languages are not fuzzed"; exit 0; }
cd "$folder" || exit 1

# core_of NAME COMMAND...: lets the program come to rest, and writes its core.
core_of()
{
	local name=$1 pid
	shift
	[ ! -e "$name.core" ] || return 0
	"$@" >"$name.out" 2>&1 </dev/null &
	pid=$!
	sleep 3 # nothing tells when all of its threads have come to rest; a core of a moment before is as good
	# It writes gigabytes that were reserved and never used.
	gcore -o "$name" "$pid" >/dev/null 2>&1 && fallocate -d "$name.$pid" && mv "$name.$pid" "$name.core"
	pkill -KILL -P "$pid"
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
}

for case in fed joins pool; do
	core_of "python-$case" /usr/bin/python3 "$tests/python/cases.py" $case
done
command -v ruby >/dev/null && core_of ruby ruby "$tests/ruby/cases.rb" cross
command -v node >/dev/null && core_of node node "$tests/node/cases.js" atomics
if command -v go >/dev/null; then
	GOCACHE=$folder/go-cache GO111MODULE=off go build -o cases "$tests/golang/cases.go"
	for case in cross leaked grouplock; do
		[ ! -x cases ] || core_of "go-$case" ./cases $case
	done
fi
if command -v javac >/dev/null; then
	javac -d . "$tests/java/Cases.java"
	for case in mixed classes hook; do
		[ ! -e Cases.class ] || core_of "java-$case" java -Xmx32m -XX:+UseSerialGC -cp . Cases $case
	done
fi
ls ./*.core >/dev/null
