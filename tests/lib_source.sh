# lib_source.sh - for tests that read the source itself, not what was built from it.
# SPDX-License-Identifier: MIT

# Tracked files and new ones that are not ignored, so that a mistake shows before it is committed.
files()
{
	git ls-files --cached --others --exclude-standard -- "$@" | sort -u | while read -r f; do
		[ ! -f "$f" ] || echo "$f"
	done
}

# none TEXT LINES: fails with the lines if there are any.
none()
{
	[ -z "$2" ] || fail "$1:" "$2"
}

cd "$ROOT" || exit 1
if ! git rev-parse --git-dir >/dev/null 2>&1; then
	begin "source is a git checkout"
	skip "no git here: files cannot be listed"
	end
	exit 0
fi
