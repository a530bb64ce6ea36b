# man.awk - splits what `pptrace help --man` prints into a page for each command: pptrace-run.1 and so on, in the folder OUT.
# SPDX-License-Identifier: MIT
/^\.SS "pptrace / {
	name = $3
	usage = $0
	sub(/^\.SS "/, "", usage)
	sub(/ *"$/, "", usage)
	file = OUT "/pptrace-" name ".1"
	getline summary
	sub(/\.$/, "", summary)
	printf ".TH PPTRACE\\-%s 1 \"\" \"pptrace %s\" \"User commands\"\n.SH NAME\npptrace\\-%s \\- %s\n", toupper(name), VERSION, name, summary >file
	printf ".SH SYNOPSIS\n.B %s\n.SH OPTIONS\n", usage >file
	next
}
/^\.SS / { common = 1; next }
common { shared = shared $0 "\n"; next }
/^\.PP$/ { getline; if ($0 ~ /^For example/) { print ".SH EXAMPLES" >file; next } print ".PP" >file }
{ print >file; names[file] = 1 }
END {
	for (f in names)
		printf ".SH \"OPTIONS OF EVERY COMMAND\"\n%s.SH SEE ALSO\n.BR pptrace (1)\n", shared >f
}
