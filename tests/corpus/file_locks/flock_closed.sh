# flock_closed.sh - the twin of flock_inherited.sh: the daemon closes the lock's descriptor.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# source: brooklyncentral/clocker#382
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT
exec 9>"$dir/lock"
flock 9
exec 8> >(
	exec 9>&-
	read -r _
)
exec 9>&-
(
	flock 9
	sleep 30
) 9>"$dir/lock"
echo end >&8
