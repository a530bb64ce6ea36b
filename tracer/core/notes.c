/* notes.c - what the notes of a core say: threads, the process, the files that were mapped. */
/* SPDX-License-Identifier: MIT */
#include "tracer/core/private.h"

#include <errno.h>
#include <sys/procfs.h>
#include <sys/user.h>

#include "base/arch.h"
#include "base/mem.h"

enum {
	CORE_MAX_THREADS = 65536,
	CORE_MAX_NOTES = 64 * 1024 * 1024 /* bytes */
};

#if ARCH_HAS_CORES
enum {
	/* The kernel's own errors of a system call that a signal broke off (include/linux/errno.h). */
	ERESTARTSYS_ = 512,
	ERESTART_RESTARTBLOCK_ = 516
};

static void add_thread(struct core *c, const void *desc)
{
	struct elf_prstatus status;
	struct user_regs_struct r;
	struct core_thread *t;
	int64_t result;

	_Static_assert(sizeof status.pr_reg == sizeof r, "both are the general registers");
	memcpy(&status, desc, sizeof status);
	memcpy(&r, &status.pr_reg, sizeof r);
	ARRAY_GROW(c->p.threads, c->p.n_threads, c->cap_threads);
	t = &c->p.threads[c->p.n_threads++];
	*t = (struct core_thread){.tid = status.pr_pid,
		.signo = status.pr_cursig,
		.nr = -1,
		.args = {r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9},
		.sp = r.rsp,
		.pc = r.rip,
		.kept = {r.rbx, r.rbp, r.r12, r.r13, r.r14, r.r15}};
	/* It was blocked if the call was broken off: its result is none that a program sees, or EINTR. */
	result = (int64_t)r.rax;
	if ((int64_t)r.orig_rax >= 0 &&
		((result <= -ERESTARTSYS_ && result >= -ERESTART_RESTARTBLOCK_) ||
			result == -EINTR))
		t->nr = (int64_t)r.orig_rax;
}
#else
/* core.c does not open any. */
static void add_thread(struct core *c, const void *desc)
{
	(void)c;
	(void)desc;
}
#endif

static void add_program(struct core *c, const void *desc)
{
	struct elf_prpsinfo info;

	memcpy(&info, desc, sizeof info);
	c->p.pid = info.pr_pid;
	c->p.ppid = info.pr_ppid;
	c->p.uid = info.pr_uid;
	memcpy(c->p.comm, info.pr_fname, sizeof c->p.comm - 1);
	memcpy(c->p.args, info.pr_psargs, sizeof c->p.args - 1);
}

static size_t file_index(struct core *c, const char *path)
{
	for (size_t i = c->n_files; i > 0; i--)
		if (!strcmp(c->files[i - 1].path, path))
			return i - 1;
	ARRAY_GROW(c->files, c->n_files, c->cap_files);
	c->files[c->n_files] = (struct mapped){.path = xstrdup(path), .fd = -1};
	return c->n_files++;
}

/* NT_FILE: how many, the size of a page; start, end and offset in pages of each; their names. */
static void add_files(struct core *c, const char *desc, size_t size)
{
	uint64_t head[2], row[3];
	const char *name;

	if (size < sizeof head)
		return;
	memcpy(head, desc, sizeof head);
	if (head[0] > CORE_MAX_MAPS || (size - sizeof head) / sizeof row < head[0])
		return;
	name = desc + sizeof head + head[0] * sizeof row;
	c->file_of = xcalloc(head[0] + 1, sizeof *c->file_of);
	for (uint64_t i = 0; i < head[0]; i++) {
		size_t left = (size_t)(desc + size - name), len = strnlen(name, left);

		if (len == left)
			return;
		memcpy(row, desc + sizeof head + i * sizeof row, sizeof row);
		if (row[1] > row[0] && row[2] <= INT64_MAX / (head[1] ? head[1] : 1)) {
			c->file_of[c->p.n_maps] = file_index(c, name);
			ARRAY_GROW(c->p.maps, c->p.n_maps, c->cap_maps);
			c->p.maps[c->p.n_maps++] = (struct core_map){
				.start = row[0], .end = row[1], .offset = row[2] * head[1]};
		}
		name += len + 1;
	}
}

static void add_auxiliary(struct core *c, const char *desc, size_t size)
{
	uint64_t pair[2];

	for (size_t at = 0; at + sizeof pair <= size; at += sizeof pair) {
		memcpy(pair, desc + at, sizeof pair);
		if (pair[0] == AT_ENTRY)
			c->entry = pair[1];
	}
}

static void add_note(struct core *c, const char *name, const GElf_Nhdr *note, const char *desc)
{
	if (strcmp(name, "CORE") != 0)
		return;
	switch (note->n_type) {
	case NT_PRSTATUS:
		if (note->n_descsz >= sizeof(struct elf_prstatus) &&
			c->p.n_threads < CORE_MAX_THREADS)
			add_thread(c, desc);
		break;
	case NT_PRPSINFO:
		if (note->n_descsz >= sizeof(struct elf_prpsinfo))
			add_program(c, desc);
		break;
	case NT_AUXV:
		add_auxiliary(c, desc, note->n_descsz);
		break;
	case NT_FILE:
		if (!c->file_of)
			add_files(c, desc, note->n_descsz);
		break;
	default:
		break;
	}
}

void core_read_notes(struct core *c, const GElf_Phdr *ph)
{
	Elf_Data *data = ph->p_filesz <= CORE_MAX_NOTES
				 ? elf_getdata_rawchunk(c->elf, (int64_t)ph->p_offset,
					   (size_t)ph->p_filesz, ELF_T_NHDR)
				 : NULL;
	size_t at = 0, next, name, desc;
	GElf_Nhdr note;

	while (data && (next = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
		const char *text = (const char *)data->d_buf + name;

		if (note.n_namesz && !text[note.n_namesz - 1])
			add_note(c, text, &note, (const char *)data->d_buf + desc);
		at = next;
	}
}
