# large.sh - any picture of a large recording takes at most 5 s of processor time and 500 MB, and says what it left out.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

# bounded SECONDS COMMAND...: runs it with limits on processor time and address space; shared libraries count too.
bounded()
{
	local seconds=$1
	shift
	run bash -c 'ulimit -t "$1" -v 800000; shift; exec "$@"' bash "$seconds" "$@"
	case $status in
	137 | 152) fail "$*: more than $seconds s of processor time" ;;
	esac
}

# says COMMAND NAME PATTERN: every format is drawn within the limits, and the text says what is not shown.
says()
{
	local format width height formats="svg dot txt"
	# PNG and PDF are the same layout, rendered: once for each kind of crowd.
	[ "$1" != "$name" ] || formats="$formats png pdf"
	for format in $formats; do
		bounded 5 "$PPTRACE" "$1" -T "$format" -o "$1.$format" "$2.db"
		expect_status 0
	done
	if [ "$1" = "$name" ]; then
		# Width and height: bytes 16 to 23 of a PNG, most significant first.
		read -r width height < <(od -An -t u4 --endian=big -j 16 -N 8 "$1.png")
		[ $((width * height)) -le 22000000 ] || fail "$1.png: $width x $height pixels"
	fi
	[ "$(grep -c -- ' -> ' "$1.dot")" -le 300 ] || fail "$1: $(grep -c -- ' -> ' "$1.dot") arrows"
	grep -Eq -- "$3" "$1.txt" || fail "$1: does not say: $3" "$(head -8 "$1.txt")"
	grep -Eq -- "$3" <(sed 's/&#160;/ /g; s/&#45;/-/g' "$1.svg") || fail "$1: the SVG does not say: $3"
}

for name in locks waits pipes; do
	begin "large-$name: each picture, the report and the verdict"
	fixture "large-$name" || fail "the fixture cannot be loaded"
	ln "large-$name.db" big.db
	says tree big 'process'
	says timeline big 'process'
	case $name in
	locks) says locks big 'folded: [0-9]+ pairs of locks' ;;
	waits) says waits big 'there are more threads' && says locks big 'folded: [0-9]+ locks' ;;
	pipes) says pipes big 'folded: [0-9]+ more arrows' ;;
	esac
	bounded 10 "$PPTRACE" report -o r.html big.db
	expect_status 0
	bounded 20 "$PPTRACE" events big.db
	expect_status 0
	bounded 20 "$PPTRACE" export -o x.json big.db
	expect_status 0
	bounded 10 "$PPTRACE" query -f big.db lock_order
	expect_status 0
	rm -f big.db
	end
done
