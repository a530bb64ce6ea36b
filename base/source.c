/* source.c - what the path of a source file, as a compiler writes it, says of it. */
/* SPDX-License-Identifier: MIT */
#include "base/source.h"

#include <string.h>

/* What follows /usr/, also where clang writes from where it is installed: /usr/bin/../lib/gcc, /usr/lib/llvm-14/bin/../include. */
static const char *below_usr(const char *file)
{
	const char *up = strstr(file, "/bin/../");

	if (strncmp(file, "/usr/", 5) != 0)
		return "";
	return up ? up + strlen("/bin/../") : file + 5;
}

bool source_is_header(const char *file)
{
	static const char *const folders[] = {"include/", "lib/gcc/", "lib/clang/", "lib/llvm-"};
	const char *at = below_usr(file);

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		if (!strncmp(at, folders[i], strlen(folders[i])))
			return true;
	return strstr(file, "/include/c++/");
}
