# flock_timed.sh - a script waits for flock(1), which wants the lock that the script has, for a minute at most.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# source: the healthy twin of flock_inherited.sh: "flock -w" in jobs of cron
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT
exec 9>"$dir/lock"
flock 9
flock -w 60 "$dir/lock" true
