/* object.c - the eBPF programs that are built into pptrace. */
/* SPDX-License-Identifier: MIT */
#include "tracer/ebpf/ebpf.h"

/* Like EMBED of base/embed.h, for bytes: at a multiple of 8 as libbpf wants them, and with an end. */
#define EMBED_EDITION(name)                                                                        \
	__asm__(".section .rodata\n.balign 8\n"                                                    \
		"ebpf_" name ":\n.incbin \"" name ".bpf.o\"\n"                                     \
		"ebpf_" name "_end:\n.previous\n");

EMBED_EDITION("casts")
EMBED_EDITION("plain")
EMBED_EDITION("old")

extern const char ebpf_casts[], ebpf_casts_end[], ebpf_plain[], ebpf_plain_end[], ebpf_old[],
	ebpf_old_end[];

static const struct {
	const char *name, *begin, *end;
} editions[] = {
	[EBPF_CASTS] = {"casts", ebpf_casts, ebpf_casts_end},
	[EBPF_PLAIN] = {"plain", ebpf_plain, ebpf_plain_end},
	[EBPF_OLD] = {"old", ebpf_old, ebpf_old_end},
};

const void *ebpf_object(enum ebpf_edition edition, size_t *ret_size)
{
	*ret_size = (size_t)(editions[edition].end - editions[edition].begin);
	return editions[edition].begin;
}

const char *ebpf_edition_name(enum ebpf_edition edition)
{
	return editions[edition].name;
}
