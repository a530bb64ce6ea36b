# flock_inherited.sh - a script starts its daemon with the lock's descriptor still open, and takes the lock again before it lets the daemon go.
# SPDX-License-Identifier: MIT
# expect: deadlock stuck
# source: brooklyncentral/clocker#382, marcusquinn/aidevops#18094
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT
exec 9>"$dir/lock"
flock 9
exec 8> >(
	read -r _ # the daemon: until the script says that it may end
)
exec 9>&-
(
	flock 9
) 9>"$dir/lock"
echo end >&8
