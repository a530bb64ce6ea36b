/* cut.c - the kernel's types, cut down to those that the eBPF programs name. */
/* SPDX-License-Identifier: MIT */
#include "tracer/ebpf/cut.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tracer/ebpf/types.h"

/* No kernel has a structure in which so many types lie; its size and this one's are what a hostile one is held to. */
enum { TAKEN_MAX = 1 << 16 };

struct cut {
	const struct types *kernel;
	uint32_t *new_id; /* of each of the kernel's types; 0: not taken */
	uint32_t
		*taken; /* the kernel's numbers, in the order of the new ones, which begin with 1 */
	uint32_t n, cap;
	struct buf types, strings;
};

/* Replaces the number of a type by its new one, and has it taken. */
static int take(struct cut *c, uint32_t *id)
{
	uint32_t old = *id;

	if (!old)
		return 0;
	if (old >= c->kernel->count || c->n == TAKEN_MAX)
		return -EINVAL;
	if (!c->new_id[old]) {
		ARRAY_GROW(c->taken, c->n, c->cap);
		c->taken[c->n++] = old;
		c->new_id[old] = c->n;
	}
	*id = c->new_id[old];
	return 0;
}

/* Replaces the place of a name by its place among the new ones. */
static void rename_to(struct cut *c, uint32_t *place)
{
	const char *name = types_name(c->kernel, *place);

	*place = *name ? (uint32_t)c->strings.len : 0;
	if (*name)
		buf_add(&c->strings, name, strlen(name) + 1);
}

static int members(struct cut *c, struct btf_type *type)
{
	struct btf_member *m = btf_members(type);
	int rc = 0;

	for (unsigned i = 0; !rc && i < btf_vlen(type); i++) {
		rename_to(c, &m[i].name_off);
		rc = take(c, &m[i].type);
	}
	return rc;
}

/* Their values are of no use here. */
static void without_values(struct cut *c, struct btf_type *type)
{
	c->types.len -= types_bytes(type) - sizeof *type;
	type->info &= ~0xffffu;
}

/* Makes the copy of a type refer to the new numbers and names. */
static int refer(struct cut *c, struct btf_type *type)
{
	int rc;

	rename_to(c, &type->name_off);
	switch (btf_kind(type)) {
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
	case BTF_KIND_FWD:
		return 0;
	case BTF_KIND_PTR:
		type->type = 0;
		return 0;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		without_values(c, type);
		return 0;
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		return take(c, &type->type);
	case BTF_KIND_ARRAY:
		rc = take(c, &btf_array(type)->type);
		return rc ? rc : take(c, &btf_array(type)->index_type);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return members(c, type);
	default:
		return -ENOTSUP;
	}
}

/* Copies what is taken, which takes more. */
static int copy_all(struct cut *c)
{
	for (uint32_t i = 0; i < c->n; i++) {
		const struct btf_type *type = types_get(c->kernel, c->taken[i]);
		size_t at = c->types.len;
		int rc;

		buf_add(&c->types, type, types_bytes(type));
		rc = refer(c, (void *)(c->types.data + at));
		if (rc)
			return rc;
	}
	return 0;
}

static int take_wanted(struct cut *c, const struct type_wanted *wanted, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!wanted[i].n)
			return -ENOENT;
		if (wanted[i].n > TYPES_SAME_NAME)
			return -ENOTSUP;
		for (uint32_t k = 0; k < wanted[i].n; k++) {
			uint32_t id = wanted[i].ids[k];
			int rc = take(c, &id);

			if (rc)
				return rc;
		}
	}
	return 0;
}

int cut_types(
	const struct types *kernel, const struct type_wanted *wanted, size_t n, struct buf *ret)
{
	struct cut c = {.kernel = kernel, .types = BUF_INIT, .strings = BUF_INIT};
	struct types_head head = {
		.magic = TYPES_MAGIC, .version = TYPES_VERSION, .hdr_len = sizeof head};
	int rc;

	c.new_id = xcalloc(kernel->count, sizeof *c.new_id);
	buf_addc(&c.strings, 0);
	rc = take_wanted(&c, wanted, n);
	if (!rc)
		rc = copy_all(&c);
	if (!rc) {
		head.type_len = head.str_off = (uint32_t)c.types.len;
		head.str_len = (uint32_t)c.strings.len;
		buf_add(ret, &head, sizeof head);
		buf_add(ret, c.types.data, c.types.len);
		buf_add(ret, c.strings.data, c.strings.len);
	}
	buf_done(&c.types);
	buf_done(&c.strings);
	free(c.new_id);
	free(c.taken);
	return rc;
}
