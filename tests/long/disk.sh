#!/usr/bin/env bash
# disk.sh - a disk that is full after any number of bytes: the command runs to its end, what was written can be read.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../lib.sh"

cat >work.sh <<'EOT'
: >go
i=0; while [ $i -lt 60 ]; do /bin/true; i=$((i+1)); done
"$1" 4 go 2000
echo finished
exit 3
EOT

# full KIB: records into a file system of that size.
full()
{
	local err=0
	mount -t tmpfs -o "size=$1k" tmpfs disk
	LIMIT=60 run "$PPTRACE" run -q --backend="$backend" -o disk/x.db sh work.sh "$PROGRAMS/lock_storm"
	case $status in
	3) grep -q '^finished$' out || fail "$1 KiB: output" "$(show)" ;;
	# So little room that no recording can begin: nothing runs.
	125) [ ! -s out ] || fail "$1 KiB: refused, yet it ran" "$(show)" ;;
	*) fail "$1 KiB: status $status" "$(show)" ;;
	esac
	[ "$(wc -l <err)" -le 1 ] || fail "$1 KiB: more than one sentence" "$(show)"
	if [ "$status" = 3 ] && [ -s disk/x.db ]; then
		cp disk/x.db* .
		for command in "timeline -T txt -o -" diagnose; do
			# shellcheck disable=SC2086
			run "$PPTRACE" $command x.db
			[ "$status" -le 1 ] || fail "$1 KiB: $command: status $status" "$(show)"
			[ "$status" = 0 ] || [ "$(wc -l <err)" -le 1 ] || err=1
			[ $err = 0 ] || fail "$1 KiB: $command: more than one sentence" "$(show)"
		done
	fi
	rm -f x.db*
	umount disk
}

mkdir disk
for backend in ${BACKENDS:-$(backends)}; do
	begin "$backend: a full disk at ${ROUNDS:-50} sizes"
	if [ "$(id -u)" != 0 ] || ! { mount -t tmpfs tmpfs disk && umount disk; } 2>/dev/null; then
		skip "no tmpfs can be mounted"
	else
		for i in $(seq "${ROUNDS:-50}"); do full $((500 + i * 1500 / ${ROUNDS:-50})); done
	fi
	end
done
