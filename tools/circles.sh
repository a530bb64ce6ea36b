#!/usr/bin/env bash
# circles.sh - print the files of a program that call each other in a circle.
# SPDX-License-Identifier: MIT
#
# usage: tools/circles.sh [FOLDER...]     after `make`; with a FOLDER: only circles that go through it
# From the symbol tables of the object files: which file defines a name, which
# other file of the same program (pptrace, the shim) uses it, in whatever folder
# it is. A circle is a set of files of which each can reach each other. Prints
# one line a circle, with the names that tie it, and exits 1 if there is one.
# BUILD=folder names another build.

set -u
cd "$(dirname "$0")/.." || exit 2
build=${BUILD:-build}
[ -d "$build" ] || { echo "circles.sh: there is no $build: run make first" >&2; exit 2; }

objects()
{
	for top in base schema verdict tracer viewer fleet cli; do
		find "$build/$top" -name '*.o' ! -name '*.bpf.o' 2>/dev/null
	done
	find "$build/pic/probes/shim" -name '*.o' 2>/dev/null
}

# Objects whose source is gone are left over from an earlier layout.
list=$(objects | while read -r o; do
	s=${o#"$build"/}
	s=${s#pic/}
	s=${s%.o}
	[ ! -f "$s" ] && [ ! -f "$s.c" ] || echo "$o"
done | sort)
[ -n "$list" ] || { echo "circles.sh: $build has no objects: run make first" >&2; exit 2; }

# shellcheck disable=SC2086 # a list of files without blanks
nm -A $list | awk -v wanted="$*" -v prefix="$build/" '
	# "build/tracer/x.o:0000 T name" or "build/tracer/x.o:   U name"
	{
		file = substr($1, 1, index($1, ":") - 1)
		sub("^" prefix, "", file); sub(/^pic\//, "", file); sub(/(\.[cS])?\.o$/, "", file)
		type = $(NF - 1); name = $NF
		if (type ~ /^[TDBRVWCGi]$/) owner[program(file), name] = file
		else if (type == "U") { uses++; user[uses] = file; used[uses] = name }
	}
	function folder(f) { sub(/\/[^\/]*$/, "", f); return f }
	function program(f) { return f ~ /^probes\/shim\// ? "shim" : "pptrace" }
	function reach(from, to,    n, list, i)
	{
		if (seen[from]++) return
		n = split(next_of[from], list, " ")
		for (i = 1; i <= n; i++) reach(list[i])
	}
	END {
		for (i = 1; i <= uses; i++) {
			f = user[i]; t = owner[program(f), used[i]]
			if (t == "" || t == f) continue
			if (!((f, t) in edge)) { next_of[f] = next_of[f] " " t; members[f]; members[t] }
			edge[f, t] = edge[f, t] " " used[i]
		}
		n = split(wanted, w, " ")
		for (f in members) {
			split("", seen); start = f
			m = split(next_of[f], list, " ")
			for (i = 1; i <= m; i++) reach(list[i])
			for (t in seen) can[f, t] = 1
		}
		bad = 0
		for (f in members) {
			if (!((f, f) in can) || done[f]) continue
			ok = n == 0
			line = program(f) ":"
			for (t in members) if (((f, t) in can) && ((t, f) in can)) {
				done[t] = 1; line = line " " t
				for (i = 1; i <= n; i++) if (folder(t) == w[i]) ok = 1
			}
			if (!ok) continue
			bad = 1
			print line
			for (e in edge) {
				split(e, p, SUBSEP)
				if (done[p[1]] && ((p[1], f) in can) && ((f, p[1]) in can) && ((p[2], f) in can) && ((f, p[2]) in can))
					print "    " p[1] " -> " p[2] ":" edge[e]
			}
		}
		exit bad
	}'
