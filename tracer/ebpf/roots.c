/* roots.c - the kernel's types that the eBPF programs name. */
/* SPDX-License-Identifier: MIT */
#include "tracer/ebpf/roots.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/section.h"
#include "tracer/ebpf/types.h"

/* The head of the section .BTF.ext, as far as it is used here. */
struct ext_head {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t hdr_len;
	uint32_t func_info_off, func_info_len;
	uint32_t line_info_off, line_info_len;
	uint32_t relocations_off, relocations_len;
};

/* Before the relocations of each section of code. */
struct ext_section {
	uint32_t name_off;
	uint32_t n;
};

/* A relocation: enum bpf_core_relo_kind says of what. */
struct relocation {
	uint32_t insn_off;
	uint32_t type_id;
	uint32_t access_off;
	uint32_t kind;
};

/* The kinds for which a type with all that lies in it is enough: of fields, of types whether there is one and its size. */
#define KINDS (0x3fu | 1u << 8 | 1u << 9)

struct roots {
	struct types local;
	struct type_wanted *all;
	size_t n, cap;
};

static Elf_Data *section_data(Elf *elf, const char *name)
{
	Elf_Scn *section = section_find(elf, name);

	return section ? elf_getdata(section, NULL) : NULL;
}

static int add(struct roots *r, const struct relocation *relocation)
{
	const struct btf_type *type = types_get(&r->local, relocation->type_id);
	struct type_wanted w = {0};

	if (relocation->kind >= 32 || !(KINDS >> relocation->kind & 1))
		return -ENOTSUP;
	if (!type)
		return -EINVAL;
	w.kind = btf_kind(type);
	if (w.kind != BTF_KIND_STRUCT && w.kind != BTF_KIND_UNION)
		return -ENOTSUP;
	w.name = types_name(&r->local, type->name_off);
	w.len = (uint32_t)types_name_len(w.name);
	if (!w.len)
		return -ENOTSUP;
	for (size_t i = 0; i < r->n; i++)
		if (r->all[i].kind == w.kind && r->all[i].len == w.len &&
			!memcmp(r->all[i].name, w.name, w.len))
			return 0;
	ARRAY_GROW(r->all, r->n, r->cap);
	r->all[r->n++] = w;
	return 0;
}

/* What p points to begins with the size of a relocation; then come the sections. */
static int add_all(struct roots *r, const char *p, size_t len)
{
	const char *end = p + len;
	uint32_t size;

	if (len < sizeof size)
		return len ? -EINVAL : 0;
	memcpy(&size, p, sizeof size);
	p += sizeof size;
	if (size < sizeof(struct relocation))
		return -EINVAL;
	while (p < end) {
		struct ext_section section;

		if ((size_t)(end - p) < sizeof section)
			return -EINVAL;
		memcpy(&section, p, sizeof section);
		p += sizeof section;
		if (section.n > (size_t)(end - p) / size)
			return -EINVAL;
		for (uint32_t i = 0; i < section.n; i++, p += size) {
			struct relocation relocation;
			int rc;

			memcpy(&relocation, p, sizeof relocation);
			rc = add(r, &relocation);
			if (rc)
				return rc;
		}
	}
	return 0;
}

static int relocations(struct roots *r, const Elf_Data *ext)
{
	struct ext_head head;
	size_t rest;

	if (!ext->d_buf || ext->d_size < sizeof head)
		return -EINVAL;
	memcpy(&head, ext->d_buf, sizeof head);
	if (head.hdr_len < sizeof head || head.hdr_len > ext->d_size)
		return -EINVAL;
	rest = ext->d_size - head.hdr_len;
	if (head.relocations_off > rest || head.relocations_len > rest - head.relocations_off)
		return -EINVAL;
	return add_all(r, (const char *)ext->d_buf + head.hdr_len + head.relocations_off,
		head.relocations_len);
}

int roots_find(const void *object, size_t size, struct type_wanted **ret, size_t *ret_n)
{
	Elf *elf = elf_version(EV_CURRENT) == EV_NONE ? NULL
						      : elf_memory((void *)(uintptr_t)object, size);
	Elf_Data *types = elf ? section_data(elf, ".BTF") : NULL;
	Elf_Data *ext = elf ? section_data(elf, ".BTF.ext") : NULL;
	struct roots r = {0};
	int rc = types && types->d_buf && ext ? types_index(&r.local, types->d_buf, types->d_size)
					      : -EINVAL;

	if (!rc)
		rc = relocations(&r, ext);
	types_done(&r.local);
	if (elf)
		(void)elf_end(elf);
	if (rc) {
		free(r.all);
		return rc;
	}
	*ret = r.all;
	*ret_n = r.n;
	return 0;
}
