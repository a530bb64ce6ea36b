/* library_file.c - which files are libraries of the language or the system, by their names. */
/* SPDX-License-Identifier: MIT */
#include "tracer/symbols/symbols.h"

#include "base/mem.h"

bool symbols_is_library_file(const char *path)
{
	static const char *const stems[] = {"libc", "libpthread", "librt", "libdl", "libstdc++",
		"libc++", "libc++abi", "libgcc_s", "libpptrace-shim", "ld-linux-x86-64",
		"ld-linux-aarch64", "ld-linux", "ld-musl-x86_64", "ld", "libasan", "libtsan",
		"libubsan", "libnode", "libuv"};
	const char *base = strrchr(path, '/');
	size_t len;

	base = base ? base + 1 : path;
	len = strcspn(base, ".");
	/* libc-2.31.so of older distributions. */
	if (!strncmp(base, "libc-", 5) || !strncmp(base, "libpthread-", 11))
		return true;
	/* The interpreter of a language that is read by other means. */
	if (!strcmp(base, "node") || !strcmp(base, "nodejs"))
		return true;
	if (!strstr(base, ".so"))
		return false;
	if (!strncmp(base, "libruby", 7))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(stems); i++)
		if (strlen(stems[i]) == len && !strncmp(base, stems[i], len))
			return true;
	return false;
}
