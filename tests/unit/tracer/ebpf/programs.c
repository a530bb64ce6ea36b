/* programs.c - tests of loading the eBPF programs. */
/* SPDX-License-Identifier: MIT */
#include "tracer/ebpf/programs.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tests/unit/test.h"
#include "tracer/ebpf/check.h"
#include "tracer/ebpf/kernel.h"
#include "tracer/ebpf/load.h"
#include "tracer/source.h"

#include "pptrace.skel.h"

enum { RING_BYTES = 1 << 16 };

static const struct source_config config = {.locks = LOCKS_MODE_FUTEX};

static void need_ebpf(void)
{
	_cleanup_buf_ struct buf why = BUF_INIT;

	if (source_ebpf()->available(&why) < 0)
		SKIP("eBPF cannot be used here");
}

/* The last instruction of a program becomes one that there is not. */
static void program_break(struct bpf_program *prog)
{
	size_t n = bpf_program__insn_cnt(prog);
	_cleanup_free_ struct bpf_insn *insns = xcalloc(n, sizeof *insns);

	memcpy(insns, bpf_program__insns(prog), n * sizeof *insns);
	insns[n - 1].code = 0xff;
	ASSERT_INT(bpf_program__set_insns(prog, insns, n), 0);
}

/* Loads the programs of the old edition, with a ring of that size; refused: one of them is broken. Returns what is said. */
static void load_refused(size_t ring_bytes, bool refused, struct buf *why)
{
	_cleanup_types_ struct kernel_types types = KERNEL_TYPES_NONE;
	struct ebpf_variant old = {EBPF_OLD, false, false};
	struct programs_rings *rings;
	struct pptrace_bpf *skel;
	int rc;

	need_ebpf();
	ASSERT_INT(programs_expect(), 0);
	rings = programs_rings_begin((struct ebpf_room){ring_bytes, RING_BYTES});
	skel = ebpf_open(&config, ebpf_room_of(RING_BYTES), old, &types);
	ASSERT(skel);
	if (refused)
		program_break(skel->progs.on_comm);
	ebpf_check_listen();
	rc = programs_load(skel, &types, rings);
	ASSERT_INT(rc, -EINVAL);
	ebpf_check_words(why, rc);
	pptrace_bpf__destroy(skel);
	programs_rings_free(rings);
}

TEST(programs_say_which_one_was_refused)
{
	_cleanup_buf_ struct buf why = BUF_INIT;

	load_refused(RING_BYTES, true, &why);
	ASSERT(strstr(why.data, "(prog 'on_comm': BPF program load failed: "));
}

TEST(programs_say_that_there_is_no_ring)
{
	_cleanup_buf_ struct buf why = BUF_INIT;

	load_refused(RING_BYTES - 1 /* no power of two */, false, &why);
	ASSERT(strstr(why.data, "(map 'near': failed to create: "));
}
