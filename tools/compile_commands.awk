# compile_commands.awk - the commands of `make -n V=1` as a compilation database.
# SPDX-License-Identifier: MIT
function quoted(s) { gsub(/\\/, "\\\\", s); gsub(/"/, "\\\"", s); return "\"" s "\"" }
/^[^ ]*(gcc|clang|cc) / {
	source = ""
	n = split($0, word, " ")
	for (i = 2; i <= n; i++)
		if (word[i] ~ /\.c$/) source = word[i]
	if (source == "" || source in seen) next
	seen[source]
	printf "%s\n  {\"directory\": %s, \"file\": %s, \"command\": %s}", count++ ? "," : "[", quoted(dir), quoted(source), quoted($0)
}
END { print count ? "\n]" : "[]" }
