# demos.awk - list the demos as DEMO("name", "what it does", "arguments to try it with").
# SPDX-License-Identifier: MIT
#
# The first line of a demo is "/* name.c - what it does. */"; a line
# "/* Try: --delay 0.1 */" among the first ones gives its arguments.

function flush()
{
	if (name != "")
		printf "DEMO(\"%s\", \"%s\", \"%s\")\n", name, about, try
	name = about = try = ""
}

FNR == 1 {
	flush()
	sub(/^\/\* /, "")
	sub(/\.? \*\/$/, "")
	name = about = $0
	sub(/\.c - .*/, "", name)
	sub(/^[^ ]* - /, "", about)
	gsub(/["\\]/, "\\\\&", about)
}

FNR <= 5 && /^\/\* Try: .* \*\/$/ {
	try = $0
	sub(/^\/\* Try: */, "", try)
	sub(/ *\*\/$/, "", try)
}

END {
	flush()
}
