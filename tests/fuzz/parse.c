/* parse.c - numbers, times and words of the command line, whatever is typed. */
/* SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "base/mem.h"
#include "cli/common/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* The reason for each refusal goes nowhere. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return freopen("/dev/null", "w", stderr) ? 0 : 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const words[] = {"auto", "always", "never", NULL};
	_cleanup_free_ char *text = xstrndup((const char *)data, size);
	uint64_t number = 0;
	int64_t ns = 0;
	int word = -1;

	(void)options_number("--n", text, &number);
	if (options_duration("--t", text, &ns) && ns < 0)
		abort();
	if (options_word("--w", text, words, &word) && (word < 0 || word > 2))
		abort();
	return 0;
}
