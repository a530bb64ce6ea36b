/* choose.c - which sources record a command, and what they cannot see. */
/* SPDX-License-Identifier: MIT */
#include "tracer/choose.h"

#include <errno.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tracer/doctor/capability.h"
#include "tracer/ebpf/ebpf.h"
#include "tracer/sampler/sampler.h"
#include "tracer/shim/shim.h"
#include "tracer/tracer.h"
#include "tracer/target/user.h"

/* Says whether the shim can record this command's locks; else adds a reason. */
static bool shim_fits(const struct tracer_config *config, const struct choice *c, struct buf *why)
{
	enum preload_answer answer;

	if (source_shim()->available(why) < 0)
		return false;
	if (!c->shim_path) {
		buf_adds(why, "the preload library libpptrace-shim.so was not found");
		return false;
	}
	/* The loader offers no way to quote them. */
	if (strpbrk(c->shim_path, " :")) {
		buf_addf(why,
			"the path %s contains a space or a colon, which LD_PRELOAD cannot express",
			c->shim_path);
		return false;
	}
	if (config->user && !user_can_read(config->user, c->shim_path)) {
		buf_addf(why, "%s may not read the preload library %s", config->user->name,
			c->shim_path);
		return false;
	}
	if (!config->program)
		return false;
	answer = preload_check(config->program);
	if (answer == PRELOAD_OK)
		return true;
	buf_addf(why, "%s %s", config->program, preload_words(answer));
	return false;
}

static int choose_shim_only(const struct tracer_config *config, struct choice *c, struct buf *why)
{
	if (config->locks == LOCKS_MODE_UPROBE || config->locks == LOCKS_MODE_FUTEX) {
		buf_adds(why, "--backend=shim supports only "
			      "--locks=shim or --locks=off");
		return -EINVAL;
	}
	if (!shim_fits(config, c, why))
		return -EPERM;
	c->sources[c->n++] = source_shim();
	c->locks = config->locks == LOCKS_MODE_OFF ? LOCKS_MODE_OFF : LOCKS_MODE_SHIM;
	c->shim_only = true;
	c->backend = "shim";
	return 0;
}

/* eBPF cannot be used, for the reason in cause: the library alone, if that is allowed. */
static int choose_without_ebpf(const struct tracer_config *config, struct choice *c, int error,
	const char *cause, struct buf *notes, struct buf *why)
{
	_cleanup_buf_ struct buf no_shim = BUF_INIT;

	c->n = 0;
	free(c->no_ebpf);
	c->no_ebpf = xasprintf("eBPF cannot be used: %s%s", cause,
		error == -EPERM ? " (" CAPABILITY_REMEDY ")" : "");
	if (config->may_sample) {
		buf_addf(notes,
			"eBPF cannot be used (%s): the processes are looked at every %u ms instead\n",
			cause, SAMPLER_EVERY_NS / 1000000);
		c->sources[c->n++] = source_sampler();
		c->locks = LOCKS_MODE_FUTEX;
		c->sampled = true;
		c->backend = "snapshots";
		return 0;
	}
	if (config->backend == BACKEND_EBPF) {
		buf_adds(why, c->no_ebpf);
		return error;
	}
	if (choose_shim_only(config, c, &no_shim) == 0) {
		buf_addf(notes, "eBPF cannot be used (%s): recording with the preload library\n",
			cause);
		return 0;
	}
	buf_addf(why, "%s; and the preload library cannot be used: %s", c->no_ebpf, no_shim.data);
	return error;
}

static int choose_locks(
	const struct tracer_config *config, struct choice *c, struct buf *notes, struct buf *why)
{
	_cleanup_buf_ struct buf reason = BUF_INIT;

	c->locks = config->locks;
	if (c->locks == LOCKS_MODE_AUTO || c->locks == LOCKS_MODE_SHIM) {
		if (shim_fits(config, c, &reason)) {
			c->locks = LOCKS_MODE_SHIM;
		} else if (config->locks == LOCKS_MODE_SHIM) {
			buf_adds(why, reason.data);
			return -EINVAL;
		} else {
			c->locks = LOCKS_MODE_FUTEX;
			if (reason.len)
				buf_addf(notes, "%s: only its contended locks are recorded\n",
					reason.data);
		}
	}
	if (c->locks == LOCKS_MODE_SHIM) {
		c->sources[c->n++] = source_shim();
		c->spares_plain = config->locks == LOCKS_MODE_AUTO;
		c->backend = "ebpf+shim";
	}
	return 0;
}

int choose_sources(
	const struct tracer_config *config, struct choice *ret, struct buf *notes, struct buf *why)
{
	_cleanup_buf_ struct buf no_ebpf = BUF_INIT;
	int rc;

	*ret = (struct choice){.backend = "ebpf", .shim_path = preload_library()};
	if (config->mpi == MPI_MODE_ON ||
		(config->mpi == MPI_MODE_AUTO && preload_is_mpi(config->program)))
		ret->mpi_path = preload_mpi_library(ret->shim_path);
	if (config->backend == BACKEND_SHIM)
		return choose_shim_only(config, ret, why);
	rc = source_ebpf()->available(&no_ebpf);
	if (rc < 0)
		return choose_without_ebpf(config, ret, rc, no_ebpf.data, notes, why);
	ret->sources[ret->n++] = source_ebpf();
	return choose_locks(config, ret, notes, why);
}

/* Only "auto" wanted the library's rings beside the kernel's probes: it is done without. */
static bool drop_shim(
	struct choice *c, const struct tracer_config *config, struct buf *why, struct buf *notes)
{
	if (c->shim_only || config->locks != LOCKS_MODE_AUTO || c->locks != LOCKS_MODE_SHIM)
		return false;
	c->n = 1;
	c->locks = LOCKS_MODE_FUTEX;
	c->backend = "ebpf";
	buf_addf(notes, "%s: only contended locks are recorded\n", why->data);
	buf_reset(why);
	return true;
}

int choice_fall_back(struct choice *c, const struct tracer_config *config,
	const struct source *failed, int error, struct buf *notes, struct buf *why)
{
	_cleanup_free_ char *cause = xstrdup(why->data);

	if (failed == source_ebpf()) {
		buf_reset(why);
		return choose_without_ebpf(config, c, error, cause, notes, why);
	}
	if (drop_shim(c, config, why, notes))
		return 0;
	if (c->no_ebpf) {
		buf_reset(why);
		buf_addf(why, "%s; and the preload library cannot be used: %s", c->no_ebpf, cause);
	}
	return error;
}

void choice_done(struct choice *c)
{
	free(c->shim_path);
	free(c->mpi_path);
	free(c->no_ebpf);
	*c = (struct choice){0};
}

void choice_blind_spots(const struct choice *c, struct buf *lines)
{
	if (c->shim_only)
		buf_adds(lines,
			"Static programs, programs of another C library and programs that gain "
			"privileges are not recorded, nor are their children.\n"
			"System calls made without the C library are not recorded, nor is io_uring.\n"
			"Who ended a wait is not known, nor who could end one for a socket that was "
			"connected, a message queue or a System V semaphore.\n"
			"Signals from outside, from the kernel and from timers are seen only when "
			"a handler runs or a process ends.\n"
			"Busy waits are not found.\n");
	if (c->sampled)
		buf_addf(lines,
			"eBPF could not be used: the processes were sampled every %u ms. What lasted less was not seen, and times are no more exact than that.\n"
			"Creation, exit, waits, pipe ends and file locks are recorded, and lock owners as far as they can be read from memory; reads, writes, signals and execs are not.\n",
			SAMPLER_EVERY_NS / 1000000);
	else if (c->locks == LOCKS_MODE_FUTEX)
		buf_adds(lines, "Uncontended lock operations are not recorded.\n");
	if (c->locks == LOCKS_MODE_OFF)
		buf_adds(lines, "Lock operations are not recorded.\n");
	if (c->locks == LOCKS_MODE_SHIM && !c->shim_only)
		buf_adds(lines,
			"In static programs, programs of another C library, programs "
			"that gain privileges and programs of other users only contended locks are recorded.\n");
	if (c->locks == LOCKS_MODE_SHIM && c->spares_plain)
		buf_adds(lines,
			"The same holds for a program that uses no locks, threads or semaphores "
			"and only later loads a library that does.\n");
}
