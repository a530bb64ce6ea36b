/* cancels.c - find out whether a program could end the waits of its own threads from outside: cancel them, or jump out of a handler. */
/* SPDX-License-Identifier: MIT */
#include "tracer/snapshot/snapshot.h"

#include "base/file_words.h"
#include "base/mem.h"
#include "schema/record.h"
#include "tracer/authority/authority.h"
#include "tracer/snapshot/private.h"
#include "tracer/symbols/symbols.h"

#include <elf.h>
#include <unistd.h>

enum {
	FILE_MAX = 64 << 20, /* larger files are not read */
	FILES_MAX = 512      /* so many of one process are looked at */
};

/* What a file has been found to name. */
enum named { NAMED_CANCEL = 1, NAMED_KILL = 2, NAMED_JUMP = 4, NAMED_TYPE = 8, NAMED_GO = 16 };

/* Names as they stand in a table of symbols, or among the strings that a program looks up: each with the NULs around it. */
static const struct {
	const char *name;
	size_t len;
	enum named what;
} names[] = {
#define NAME(name, what)                                                                           \
	{                                                                                          \
		"\0" name, sizeof "\0" name, what                                                  \
	}
	NAME("pthread_cancel", NAMED_CANCEL),
	NAME("pthread_setcanceltype", NAMED_TYPE),
	NAME(".gopclntab",
		NAMED_GO), /* a section: where Go runs, nothing else names its functions */
	NAME("pthread_kill", NAMED_KILL),
	NAME("pthread_sigqueue", NAMED_KILL),
	NAME("tgkill", NAMED_KILL),
	NAME("siglongjmp", NAMED_JUMP),
	NAME("longjmp", NAMED_JUMP),
	NAME("_longjmp", NAMED_JUMP),
	NAME("__longjmp_chk", NAMED_JUMP),
#undef NAME
};

static unsigned look(const char *data, size_t len, unsigned found)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!(found & names[i].what) && memmem(data, len, names[i].name, names[i].len))
			found |= names[i].what;
	return found;
}

/* Says whether a file is a program without a table of symbols, as a static one is that was stripped: what it calls has no name. */
static bool is_nameless(int fd)
{
	Elf64_Ehdr head;
	Elf64_Shdr section;

	if (pread(fd, &head, sizeof head, 0) != sizeof head ||
		memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
		head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_shentsize != sizeof section)
		return false;
	for (unsigned i = 0; i < head.e_shnum; i++) {
		if (pread(fd, &section, sizeof section,
			    (off_t)(head.e_shoff + i * sizeof section)) != sizeof section)
			return false;
		/* The table of one that finds out by itself where it was loaded is empty but for the first symbol, which stands for none. */
		if (section.sh_type == SHT_SYMTAB ||
			(section.sh_type == SHT_DYNSYM && section.sh_size > sizeof(Elf64_Sym)))
			return false;
	}
	return true;
}

static unsigned file_cancels(pid_t pid, const char *path, struct hash *seen)
{
	_cleanup_close_ int fd = authority_open_inside(pid, path, FILE_MAX);
	unsigned found = file_words(fd, look, 0, seen), how = 0;

	if (fd >= 0 && !(found & NAMED_GO) && is_nameless(fd))
		return CANCELS_BY_CALL | CANCELS_BY_JUMP | CANCELS_AT_ONCE;
	if (found & NAMED_CANCEL)
		how |= CANCELS_BY_CALL | (found & NAMED_TYPE ? CANCELS_AT_ONCE : 0);
	if (found & NAMED_KILL && found & NAMED_JUMP)
		how |= CANCELS_BY_JUMP;
	return how;
}

/* What a language's runtime has of it (it stops its threads by signals, and tries memory out) is not for the program's waits. */
static bool is_runtime_file(const char *path)
{
	static const char *const stems[] = {"libjvm.", "libpython", "python", "libruby", "ruby"};
	const char *base = strrchr(path, '/') + 1;

	for (size_t i = 0; i < ARRAY_SIZE(stems); i++)
		if (!strncmp(base, stems[i], strlen(stems[i])))
			return true;
	return false;
}

unsigned snapshot_cancels(pid_t pid, struct hash *seen)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	size_t cap = 0, n = 0;
	unsigned found = 0;
	char path[32];

	(void)snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	while (f && n < FILES_MAX && getline(&line, &cap, f) > 0) {
		char *file = strchr(line, '/');

		if (!file || !maps_line_has(line, 'x'))
			continue;
		file[strcspn(file, "\n")] = '\0';
		if (symbols_is_library_file(file) || is_runtime_file(file))
			continue;
		found |= file_cancels(pid, file, seen);
		n++;
	}
	return found;
}
