/* cut.c - tests of the description of types that relocations are resolved with. */
/* SPDX-License-Identifier: MIT */
#include "tracer/ebpf/cut.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/probe_config.h"
#include "tests/unit/test.h"
#include "tracer/ebpf/ebpf.h"
#include "tracer/ebpf/kernel.h"
#include "tracer/ebpf/roots.h"
#include "tracer/ebpf/types.h"

TEST(cut_name_len)
{
	ASSERT_INT(types_name_len("file"), 4);
	ASSERT_INT(types_name_len("file___new"), 4);
	ASSERT_INT(types_name_len("a___b"), 1);
	ASSERT_INT(types_name_len("a___b___c"), 5);
	ASSERT_INT(types_name_len("___b"), 4);
	ASSERT_INT(types_name_len("file____"), 8);
	ASSERT_INT(types_name_len("file___"), 7);
	ASSERT_INT(types_name_len(""), 0);
}

/* An object that stands for a kernel too: it describes each type that it names. */
struct subject {
	const void *object;
	size_t size;
	struct bpf_object *open;
	const struct btf *btf;
	struct type_wanted *roots;
	size_t n_roots;
};

static void subject_init(struct subject *s, enum ebpf_edition edition)
{
	s->object = ebpf_object(edition, &s->size);
	s->open = bpf_object__open_mem(s->object, s->size, NULL);
	ASSERT(s->open);
	s->btf = bpf_object__btf(s->open);
	ASSERT_INT(roots_find(s->object, s->size, &s->roots, &s->n_roots), 0);
	ASSERT(s->n_roots > 20);
}

static void subject_done(struct subject *s)
{
	bpf_object__close(s->open);
	free(s->roots);
}

/* Cuts what some bytes describe. */
static int cut_bytes(struct subject *s, const void *bytes, size_t size, struct buf *ret)
{
	struct types types;
	int rc = types_index(&types, bytes, size);

	for (size_t i = 0; i < s->n_roots; i++)
		s->roots[i].n = 0;
	if (!rc) {
		types_find(&types, s->roots, s->n_roots);
		rc = cut_types(&types, s->roots, s->n_roots, ret);
		types_done(&types);
	}
	return rc;
}

static void same_type(const struct btf *a, uint32_t id_a, const struct btf *b, uint32_t id_b);

/* Names, places and what lies there. */
static void same_members(const struct btf *a, const struct btf_type *in_a, const struct btf *b,
	const struct btf_type *in_b)
{
	for (unsigned i = 0; i < btf_vlen(in_a); i++) {
		const struct btf_member *m = &btf_members(in_a)[i], *n = &btf_members(in_b)[i];

		ASSERT_STR(
			btf__name_by_offset(a, m->name_off), btf__name_by_offset(b, n->name_off));
		ASSERT_INT(m->offset, n->offset);
		same_type(a, m->type, b, n->type);
	}
}

static void same_type(const struct btf *a, uint32_t id_a, const struct btf *b, uint32_t id_b)
{
	const struct btf_type *in_a = btf__type_by_id(a, id_a), *in_b = btf__type_by_id(b, id_b);

	ASSERT_INT(btf_kind(in_a), btf_kind(in_b));
	ASSERT_STR(btf__name_by_offset(a, in_a->name_off), btf__name_by_offset(b, in_b->name_off));
	if (btf_is_ptr(in_a) || btf_is_void(in_a))
		return;
	ASSERT_INT(btf__resolve_size(a, id_a), btf__resolve_size(b, id_b));
	if (btf_is_composite(in_a)) {
		ASSERT_INT(in_a->info, in_b->info);
		same_members(a, in_a, b, in_b);
	} else if (btf_is_array(in_a)) {
		ASSERT_INT(btf_array(in_a)->nelems, btf_array(in_b)->nelems);
		same_type(a, btf_array(in_a)->type, b, btf_array(in_b)->type);
	} else if (btf_is_mod(in_a) || btf_is_typedef(in_a)) {
		same_type(a, in_a->type, b, in_b->type);
	}
}

TEST(cut_keeps_what_relocations_ask)
{
	for (int edition = 0; edition < EBPF_EDITIONS; edition++) {
		_cleanup_buf_ struct buf bytes = BUF_INIT;
		struct subject s;
		struct btf *cut;
		const void *whole;
		uint32_t size;

		subject_init(&s, (enum ebpf_edition)edition);
		whole = btf__raw_data(s.btf, &size);
		ASSERT_INT(cut_bytes(&s, whole, size, &bytes), 0);
		ASSERT(bytes.len < size);
		cut = btf__new(bytes.data, (uint32_t)bytes.len);
		ASSERT(cut);
		for (size_t i = 0; i < s.n_roots; i++) {
			const struct type_wanted *w = &s.roots[i];

			ASSERT(w->n > 0);
			for (uint32_t k = 0; k < w->n; k++) {
				const struct btf_type *t = btf__type_by_id(s.btf, w->ids[k]);
				const char *name = btf__name_by_offset(s.btf, t->name_off);

				same_type(s.btf, w->ids[k], cut,
					(uint32_t)btf__find_by_name_kind(cut, name, w->kind));
			}
		}
		btf__free(cut);
		subject_done(&s);
	}
}

TEST(cut_refuses_what_is_not_there)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	struct type_wanted nobody = {.name = "nobody_has_this", .len = 15, .kind = BTF_KIND_STRUCT};
	struct subject s;
	struct types types;
	const void *whole;
	uint32_t size;

	subject_init(&s, EBPF_PLAIN);
	whole = btf__raw_data(s.btf, &size);
	ASSERT_INT(types_index(&types, whole, size), 0);
	types_find(&types, &nobody, 1);
	ASSERT_INT(cut_types(&types, &nobody, 1, &bytes), -ENOENT);
	types_done(&types);
	ASSERT_INT(roots_find(whole, size, &s.roots, &s.n_roots), -EINVAL);
	subject_done(&s);
}

/* Every bit of it turned, and every length: nothing is read outside of the bytes. */
TEST(cut_of_broken_bytes)
{
	struct subject s;
	const void *whole;
	uint32_t size;

	subject_init(&s, EBPF_PLAIN);
	whole = btf__raw_data(s.btf, &size);
	for (uint32_t at = 0; at < size; at += at < 64 ? 1 : 97) {
		_cleanup_buf_ struct buf ret = BUF_INIT;
		_cleanup_free_ unsigned char *copy = xmalloc(size);
		_cleanup_free_ unsigned char *part = xmalloc(at + 1);

		memcpy(copy, whole, size);
		copy[at] ^= (unsigned char)(1u << at % 8);
		(void)cut_bytes(&s, copy, size, &ret);
		memcpy(part, whole, at);
		ASSERT(cut_bytes(&s, part, at, &ret) != 0);
	}
	subject_done(&s);
}

/* That it can be made is what a quick start rests on. */
TEST(cut_of_this_kernel)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		SKIP("this kernel does not describe its types");
	for (int edition = 0; edition < EBPF_EDITIONS; edition++) {
		size_t size;
		const void *object = ebpf_object((enum ebpf_edition)edition, &size);
		_cleanup_types_ struct kernel_types types = kernel_types(object, size);
		struct btf *btf;

		ASSERT(types.cut >= 0);
		ASSERT(types.casts.task && types.casts.word && types.casts.file &&
			types.casts.sock && types.casts.epitem);
		btf = btf__parse(kernel_types_path(&types), NULL);
		ASSERT(btf);
		ASSERT(btf__find_by_name_kind(btf, "task_struct", BTF_KIND_STRUCT) > 0);
		btf__free(btf);
	}
}
