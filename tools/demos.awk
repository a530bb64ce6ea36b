# demos.awk - list the demos as DEMO("topic", "name", "what it does", "arguments to try it with", "options of run").
# SPDX-License-Identifier: MIT
#
# The topic is the folder that a demo is in. The first line of a demo is "/* name.c - what it does. */"; a line
# "/* Try: --delay 0.1 */" among the first ones gives its arguments, and "/* Run: --timeout=5s */" how it is recorded.
# In Python the same follows "#" behind the line that names the interpreter, and the name is that of the folder and the demo.

function flush()
{
	if (name != "")
		printf "DEMO(\"%s\", \"%s\", \"%s\", \"%s\", \"%s\")\n", topic, name, about, try, run
	name = about = try = run = ""
}

FNR == 1 {
	flush()
	topic = FILENAME
	sub(/\/[^\/]*$/, "", topic)
	sub(/.*\//, "", topic)
	first = /^#!/ ? 2 : 1
}

FNR == first {
	sub(/^(\/\*|#) /, "")
	sub(/\.?( \*\/)?$/, "")
	name = about = $0
	sub(/\.(c|py) - .*/, "", name)
	if (first == 2)
		name = topic "/" name
	sub(/^[^ ]* - /, "", about)
	gsub(/["\\]/, "\\\\&", about)
}

FNR <= 5 && /^(\/\*|#) Try: / {
	try = $0
	sub(/^(\/\*|#) Try: */, "", try)
	sub(/ *\*\/$/, "", try)
}

FNR <= 5 && /^(\/\*|#) Run: / {
	run = $0
	sub(/^(\/\*|#) Run: */, "", run)
	sub(/ *\*\/$/, "", run)
}

END {
	flush()
}
