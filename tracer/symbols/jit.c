/* jit.c - names of code that a program made while it ran. */
/* SPDX-License-Identifier: MIT */
#include "tracer/symbols/jit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "tracer/authority/authority.h"

enum { JIT_FILE_MAX = 64 * 1024 * 1024, JIT_MAX = 1000 * 1000 /* pieces of code */ };

struct piece {
	uint64_t start, len;
	struct jit_place place;
};

struct jit {
	pid_t pid;
	bool is_read;
	char *text; /* the file; names point into it */
	struct piece *list;
	size_t n, cap;
};

struct jit *jit_new(pid_t pid)
{
	struct jit *j = xcalloc(1, sizeof *j);

	j->pid = pid;
	return j;
}

void jit_free(struct jit *j)
{
	if (!j)
		return;
	free(j->list);
	free(j->text);
	free(j);
}

/* The process's number in its own namespace, by which it names its file. */
static pid_t inner_pid(pid_t pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64], line[512];

	(void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f)) {
		const char *last = strrchr(line, '\t');

		if (!strncmp(line, "NSpid:", 6) && last)
			return (pid_t)atoi(last + 1);
	}
	return pid;
}

/* Opens the file, if it is the process's own. */
static int open_file(pid_t pid, size_t *ret_size)
{
	char path[64];
	struct stat file, process;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%d", (int)pid);
	if (stat(path, &process) != 0)
		return -1;
	(void)snprintf(path, sizeof path, "/tmp/perf-%d.map", (int)inner_pid(pid));
	fd = authority_open_inside(pid, path, JIT_FILE_MAX);
	if (fd >= 0 && (fstat(fd, &file) != 0 || file.st_uid != process.st_uid)) {
		(void)close(fd);
		return -1;
	}
	*ret_size = fd >= 0 ? (size_t)file.st_size : 0;
	return fd;
}

/*
 * V8's names: "JS:~waiter /srv/cases.js:37:16", "LazyCompile:*next file:///srv/x.mjs:3:4". The mark behind the colon says how
 * it was compiled. The name is cut in pieces where it lies.
 */
static void take_apart(struct jit_place *p, char *name)
{
	static const char *const kinds[] = {"JS:", "LazyCompile:", "Function:", "Script:", "Eval:"};
	char *text = NULL, *blank, *end, *colon;

	for (size_t i = 0; !text && i < ARRAY_SIZE(kinds); i++)
		if (!strncmp(name, kinds[i], strlen(kinds[i])))
			text = name + strlen(kinds[i]);
	blank = text ? strrchr(text, ' ') : NULL;
	/* The last number is that of the column, the one before it that of the line. */
	end = blank ? strrchr(blank, ':') : NULL;
	if (!end)
		return;
	colon = memrchr(blank, ':', (size_t)(end - blank));
	if (!colon || colon == blank + 1 || colon[1] < '0' || colon[1] > '9')
		return;
	p->line = (int)strtol(colon + 1, NULL, 10);
	*blank = *colon = '\0';
	text += strspn(text, "~*^+'");
	p->function = *text ? text : "anonymous";
	p->file = blank + 1;
}

/* Reads "START SIZE NAME" and sets *end to what follows the line. */
static bool parse_line(char *line, char **ret_end, struct piece *ret)
{
	char *at, *newline = strchr(line, '\n');

	*ret_end = newline ? newline + 1 : line + strlen(line);
	if (newline)
		*newline = '\0';
	ret->start = strtoull(line, &at, 16);
	if (at == line || *at != ' ')
		return false;
	line = at + 1;
	ret->len = strtoull(line, &at, 16);
	if (at == line || *at != ' ')
		return false;
	ret->place = (struct jit_place){.function = at + 1};
	take_apart(&ret->place, at + 1);
	return ret->len > 0 && at[1];
}

static void parse(struct jit *j)
{
	struct piece piece;

	for (char *at = j->text, *end; *at && j->n < JIT_MAX; at = end) {
		if (!parse_line(at, &end, &piece))
			continue;
		ARRAY_GROW(j->list, j->n, j->cap);
		j->list[j->n++] = piece;
	}
}

static void read_file(struct jit *j)
{
	size_t size = 0, len = 0;
	_cleanup_close_ int fd = open_file(j->pid, &size);
	ssize_t n;

	j->is_read = true;
	if (fd < 0)
		return;
	j->text = xcalloc(size + 1, 1);
	while (len < size && (n = read(fd, j->text + len, size - len)) > 0)
		len += (size_t)n;
	parse(j);
}

const struct jit_place *jit_find(struct jit *j, uint64_t addr)
{
	if (!j->is_read)
		read_file(j);
	for (size_t i = j->n; i > 0; i--)
		if (addr - j->list[i - 1].start < j->list[i - 1].len)
			return &j->list[i - 1].place;
	return NULL;
}
