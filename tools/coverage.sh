#!/usr/bin/env bash
# coverage.sh - run tests on a build that counts lines, and say how many of each folder were run.
# SPDX-License-Identifier: MIT
#
# usage: tools/coverage.sh BUILD TEST.sh...
set -eu
cd "$(dirname "$0")/.."
build=$1
shift
# The programs that the tests start are those of the plain build.
[ -e "$build/tests/programs" ] || ln -s "$PWD/build/tests/programs" "$build/tests/programs"
find "$build" -name '*.gcda' -delete
# The suite's own verdict stands above the table; a build that counts is slow, and clock-bound tests may fail there.
BUILD=$PWD/$build tests/run.sh -j 2 "$build/tests/unit/run" "$@" || true
lcov -q --capture --directory "$build" --no-external --base-directory "$PWD" -o "$build/lines.info" 2>/dev/null
awk -F '[:,]' -v top="$PWD/" '
	/^SF:/ { folder = substr($0, 4); sub("^" top, "", folder); sub(/\/[^\/]*$/, "", folder) }
	folder ~ /^tests/ { next }
	/^DA:/ { lines[folder]++; hit[folder] += $3 > 0 }
	END {
		for (d in lines) {
			printf "%-28s %6d of %6d lines  %5.1f %%\n", d, hit[d], lines[d], 100 * hit[d] / lines[d] | "sort"
			all += lines[d]; got += hit[d]
		}
		close("sort")
		printf "%-28s %6d of %6d lines  %5.1f %%\n", "all", got, all, 100 * got / all
	}' "$build/lines.info"
