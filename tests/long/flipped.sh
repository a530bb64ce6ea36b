#!/usr/bin/env bash
# flipped.sh - recordings in which some bytes are wrong: each command that reads ends soon, with a sentence or an answer.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../lib.sh"

commands=(tree timeline waits locks pipes report diagnose events export flame query)
MOST_KIB=$((2 << 20))

# flip FILE SEED: sets some bytes of it to others; prints where.
flip()
{
	python3 - "$1" "$2" <<'EOT'
import random, sys
path, seed = sys.argv[1], int(sys.argv[2])
r = random.Random(seed)
data = bytearray(open(path, "rb").read())
# The first page rules over all others: it gets its share.
for _ in range(r.choice((1, 3, 20, 200))):
    at = r.randrange(4096 if r.random() < 0.1 else len(data))
    data[at] = r.randrange(256)
if r.random() < 0.1:
    del data[r.randrange(len(data)):]
open(path, "wb").write(data)
EOT
}

# reads COMMAND FILE WHAT
reads()
{
	local args=(-o x.out)
	case $1 in
	tree | timeline | waits | locks | pipes) args=(-T "${formats[RANDOM % 3]}" -o x.out) ;;
	query) args=(-f "$2" summary) ;;
	diagnose | events) args=() ;;
	esac
	[ "$1" = query ] || args+=("$2")
	LIMIT=20 run bash -c 'ulimit -v "$1" && shift && exec "$@"' - $MOST_KIB "$PPTRACE" "$1" "${args[@]}"
	case $status in
	0) ;;
	1 | 2) [ -s err ] || [ "$1" = diagnose ] || fail "$3: $1: status $status without a word" ;;
	*) fail "$3: $1: status $status" "$(show)" ;;
	esac
}

begin "the recordings to spoil"
"$PPTRACE" run -q -o one.db "$DEMOS/philosophers" --fixed >/dev/null 2>&1
"$PPTRACE" run -q --on-deadlock=kill -o two.db "$DEMOS/deadlock-abba" >/dev/null 2>&1
"$PPTRACE" run -q -o three.db sh -c 'yes | head -n 1000 | sort | wc -l; (exit 3)' >/dev/null 2>&1
for f in one two three; do [ -s $f.db ] || fail "$f.db is missing"; done
end

files=(one two three) formats=(txt svg dot)
begin "${ROUNDS:-500} recordings with wrong bytes"
RANDOM=${SEED:-1}
for i in $(seq "${ROUNDS:-500}"); do
	cp "${files[i % 3]}.db" bad.db
	flip bad.db "$((${SEED:-1} * 100000 + i))"
	for command in "${commands[@]}"; do reads "$command" bad.db "seed $i"; done
	rm -f bad.db* x.out
done
end
