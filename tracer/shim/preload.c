/* preload.c - which programs can load the preload library. */
/* SPDX-License-Identifier: MIT */
#include "tracer/shim/shim.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <paths.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "tracer/authority/authority.h"

enum { SCRIPT_DEPTH = 4 }; /* as the kernel: scripts of scripts */

/* Reads the program interpreter that an ELF file of our own kind asks for. */
static enum preload_answer read_interpreter(int fd, char *interp, size_t size)
{
	ElfW(Ehdr) e, own;
	_cleanup_close_ int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (pread(fd, &e, sizeof e, 0) != (ssize_t)sizeof e ||
		memcmp(e.e_ident, ELFMAG, SELFMAG) != 0)
		return PRELOAD_NO_ELF;
	if (self < 0 || pread(self, &own, sizeof own, 0) != (ssize_t)sizeof own)
		return PRELOAD_UNREADABLE;
	if (e.e_ident[EI_CLASS] != own.e_ident[EI_CLASS] || e.e_machine != own.e_machine ||
		e.e_ident[EI_DATA] != own.e_ident[EI_DATA])
		return PRELOAD_CLASS;
	for (unsigned i = 0; i < e.e_phnum && e.e_phentsize == sizeof(ElfW(Phdr)); i++) {
		ElfW(Phdr) p;

		if (pread(fd, &p, sizeof p, (off_t)(e.e_phoff + i * sizeof p)) != (ssize_t)sizeof p)
			return PRELOAD_NO_ELF;
		if (p.p_type != PT_INTERP)
			continue;
		if (p.p_filesz == 0 || p.p_filesz > size ||
			pread(fd, interp, p.p_filesz, (off_t)p.p_offset) != (ssize_t)p.p_filesz)
			return PRELOAD_NO_ELF;
		interp[p.p_filesz - 1] = '\0';
		return PRELOAD_OK;
	}
	return PRELOAD_STATIC;
}

/* Says whether two paths lead to the same file. */
static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !strcmp(a, b) || (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
					x.st_ino == y.st_ino);
}

static enum preload_answer check_elf(int fd)
{
	_cleanup_close_ int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char interp[PATH_MAX], own[PATH_MAX];
	enum preload_answer answer = read_interpreter(fd, interp, sizeof interp);

	if (answer != PRELOAD_OK)
		return answer;
	if (self < 0 || read_interpreter(self, own, sizeof own) != PRELOAD_OK)
		return PRELOAD_UNREADABLE;
	return same_file(interp, own) ? PRELOAD_OK : PRELOAD_LIBC;
}

static bool gains_privileges(int fd, const struct stat *st)
{
	return ((st->st_mode & S_ISUID) && st->st_uid != geteuid()) ||
	       ((st->st_mode & S_ISGID) && st->st_gid != getegid()) ||
	       (geteuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0);
}

static enum preload_answer check(const char *path, int depth)
{
	_cleanup_close_ int fd = authority_open(path, AUTHORITY_MODULE_MAX);
	char head[256];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return PRELOAD_UNREADABLE;
	n = pread(fd, head, sizeof head - 1, 0);
	if (n < 2 || head[0] != '#' || head[1] != '!')
		return gains_privileges(fd, &st) ? PRELOAD_SECURE : check_elf(fd);
	head[n] = '\0';
	char *interp = head + 2 + strspn(head + 2, " \t");

	interp[strcspn(interp, " \t\n")] = '\0';
	return depth && *interp ? check(interp, depth - 1) : PRELOAD_NO_ELF;
}

enum preload_answer preload_check(const char *path)
{
	enum preload_answer answer = check(path, SCRIPT_DEPTH);

	/* A script that does not name its interpreter: execvp(3). */
	return answer == PRELOAD_NO_ELF ? check(_PATH_BSHELL, 0) : answer;
}

/* Says whether a segment of notes has one by "Go". */
static bool has_go_note(int fd, const ElfW(Phdr) * p)
{
	char notes[4096];
	size_t len = p->p_filesz < sizeof notes ? p->p_filesz : sizeof notes, at = 0;

	if (pread(fd, notes, len, (off_t)p->p_offset) != (ssize_t)len)
		return false;
	while (at + sizeof(ElfW(Nhdr)) + 4 <= len) {
		ElfW(Nhdr) n;

		memcpy(&n, notes + at, sizeof n);
		at += sizeof n;
		if (n.n_namesz == 4 && !memcmp(notes + at, "Go\0", 4))
			return true;
		if (n.n_namesz > len || n.n_descsz > len)
			return false;
		at += ((size_t)n.n_namesz + 3) / 4 * 4 + ((size_t)n.n_descsz + 3) / 4 * 4;
	}
	return false;
}

bool preload_has_raw_calls(const char *path)
{
	_cleanup_close_ int fd = authority_open(path, AUTHORITY_MODULE_MAX);
	ElfW(Ehdr) e;

	if (fd < 0 || pread(fd, &e, sizeof e, 0) != (ssize_t)sizeof e ||
		memcmp(e.e_ident, ELFMAG, SELFMAG) != 0 || e.e_phentsize != sizeof(ElfW(Phdr)))
		return false;
	for (unsigned i = 0; i < e.e_phnum; i++) {
		ElfW(Phdr) p;

		if (pread(fd, &p, sizeof p, (off_t)(e.e_phoff + i * sizeof p)) != (ssize_t)sizeof p)
			return false;
		if (p.p_type == PT_NOTE && has_go_note(fd, &p))
			return true;
	}
	return false;
}

const char *preload_words(enum preload_answer answer)
{
	switch (answer) {
	case PRELOAD_OK:
		return "can be preloaded";
	case PRELOAD_UNREADABLE:
		return "cannot be read";
	case PRELOAD_NO_ELF:
		return "is not an ELF program";
	case PRELOAD_CLASS:
		return "is for another word size or machine";
	case PRELOAD_STATIC:
		return "is static";
	case PRELOAD_LIBC:
		return "uses another C library";
	case PRELOAD_SECURE:
		return "gains privileges when it is executed";
	}
	return "cannot be preloaded";
}

/* Programs that change their directory or look at LD_PRELOAD must find a plain path. */
static char *realpath_of(const char *path)
{
	char real[PATH_MAX];

	return xstrdup(realpath(path, real) ? real : path);
}

char *preload_library(void)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);

	if (n > 0) {
		_cleanup_free_ char *beside = NULL;
		char *slash;

		exe[n] = '\0';
		slash = strrchr(exe, '/');
		if (slash) {
			beside = xasprintf("%.*s/%s", (int)(slash - exe), exe, PRELOAD_LIBRARY);
			if (access(beside, R_OK) == 0)
				return steal(&beside);
			free(beside);
			beside = xasprintf(
				"%.*s/../lib/pptrace/%s", (int)(slash - exe), exe, PRELOAD_LIBRARY);
			if (access(beside, R_OK) == 0)
				return realpath_of(beside);
		}
	}
	if (access(PPTRACE_LIBDIR "/" PRELOAD_LIBRARY, R_OK) == 0)
		return xstrdup(PPTRACE_LIBDIR "/" PRELOAD_LIBRARY);
	return NULL;
}

char *preload_mpi_library(const char *library)
{
	const char *slash = library ? strrchr(library, '/') : NULL;
	char *path =
		slash ? xasprintf("%.*s/libpptrace-mpi.so", (int)(slash - library), library) : NULL;

	if (path && access(path, R_OK) == 0)
		return path;
	free(path);
	return NULL;
}

bool preload_is_mpi(const char *program)
{
	static const char *const launchers[] = {
		"mpirun", "mpiexec", "orterun", "prterun", "oshrun", "srun", "aprun", "jsrun"};
	/* What Open MPI, MPICH and its kin, and PMIx tell a rank. */
	static const char *const ranks[] = {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"};
	const char *slash = program ? strrchr(program, '/') : NULL;
	const char *name = slash ? slash + 1 : program;

	for (size_t i = 0; i < ARRAY_SIZE(ranks); i++)
		if (getenv(ranks[i]))
			return true;
	for (size_t i = 0; name && i < ARRAY_SIZE(launchers); i++) {
		size_t len = strlen(launchers[i]);

		/* "mpirun.openmpi", "mpiexec.hydra" */
		if (!strncmp(name, launchers[i], len) && (!name[len] || name[len] == '.'))
			return true;
	}
	return false;
}
