/* unwind.c - the user stack of a thread that is blocked, without stopping it. */
/* SPDX-License-Identifier: MIT */
/*
 * /proc tells the stack and instruction pointers of a thread that sleeps in a
 * system call and no other register. That is enough: compiled code finds its
 * caller by the stack pointer nearly everywhere, and where it wants the frame
 * pointer (code built without optimisation), that is found on the stack: the
 * slot below a return address whose call instruction calls this very function.
 */
#include "tracer/symbols/symbols.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "tracer/authority/authority.h"
#include "tracer/symbols/eval.h"
#include "tracer/symbols/maps.h"
#include "tracer/symbols/module.h"

enum {
	STACK_WINDOW = 4 * 1024, /* read at once */
	STACK_SEARCH = 8 * 1024, /* how far up a frame pointer is looked for */
	CALL_LENGTH = 5          /* of a direct call instruction */
};

/* Those that a callee keeps for its caller, and that rules are made of: rbx, rbp, rsp, r12 to r15, the return address. */
static const int kept_regs[] = {3, REG_RBP, REG_RSP, 12, 13, 14, 15, REG_RIP};

struct unwind {
	const struct maps *maps;
	struct hash *frames; /* rules by module and address, kept by symbols */
	pid_t pid;
	uint64_t window_at;
	size_t window_len;
	unsigned char window[STACK_WINDOW];
};

static bool read_memory(struct unwind *u, uint64_t addr, void *to, size_t len)
{
	struct iovec local = {to, len}, remote = {(void *)(uintptr_t)addr, len};

	if (addr >= u->window_at && addr - u->window_at + len <= u->window_len) {
		memcpy(to, u->window + (addr - u->window_at), len);
		return true;
	}
	return process_vm_readv(u->pid, &local, 1, &remote, 1, 0) == (ssize_t)len;
}

static bool read_for_eval(void *arg, uint64_t addr, void *to, size_t len)
{
	return read_memory(arg, addr, to, len);
}

static void read_window(struct unwind *u, uint64_t sp)
{
	struct iovec local = {u->window, sizeof u->window};
	struct iovec remote = {(void *)(uintptr_t)sp, sizeof u->window};
	ssize_t n = process_vm_readv(u->pid, &local, 1, &remote, 1, 0);

	/* A stack that ends within the window gives what there is of it, or nothing at all. */
	if (n < 0) {
		remote.iov_len = local.iov_len = 4096 - sp % 4096;
		n = process_vm_readv(u->pid, &local, 1, &remote, 1, 0);
	}
	u->window_at = sp;
	u->window_len = n > 0 ? (size_t)n : 0;
}

/* Finds what the caller of a frame had in one register. */
static void restore(struct unwind *u, Dwarf_Frame *frame, const struct regs *old, uint64_t cfa,
	int number, struct regs *ret)
{
	struct eval e = {.read = read_for_eval, .arg = u, .regs = old, .cfa = &cfa};
	Dwarf_Op mem[3], *ops;
	uint64_t value;
	size_t n = 0;

	if (dwarf_frame_register(frame, number, mem, &ops, &n) != 0)
		return;
	if (n == 0) {
		/* NULL: unchanged; otherwise lost. */
		if (!ops && reg_get(old, (uint64_t)number, &value))
			reg_set(ret, (unsigned)number, value);
		return;
	}
	if (n == 1 && ops[0].atom == DW_OP_regx) {
		if (reg_get(old, ops[0].number, &value))
			reg_set(ret, (unsigned)number, value);
		return;
	}
	if (n == 1 && ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31) {
		if (reg_get(old, ops[0].atom - DW_OP_reg0, &value))
			reg_set(ret, (unsigned)number, value);
		return;
	}
	if (ops[n - 1].atom == DW_OP_stack_value) {
		if (eval_ops(&e, ops, n - 1, &value))
			reg_set(ret, (unsigned)number, value);
	} else if (eval_ops(&e, ops, n, &value) && read_memory(u, value, &value, 8)) {
		reg_set(ret, (unsigned)number, value);
	}
}

/* Says whether the instruction before a return address is a direct call of target. */
static bool is_call_of(struct unwind *u, uint64_t ret_addr, uint64_t target)
{
	unsigned char code[CALL_LENGTH];
	int32_t distance;

	if (!maps_find(u->maps, ret_addr - 1) ||
		!read_memory(u, ret_addr - CALL_LENGTH, code, sizeof code) || code[0] != 0xe8)
		return false;
	memcpy(&distance, code + 1, sizeof distance);
	return ret_addr + (uint64_t)(int64_t)distance == target;
}

static bool find_frame_pointer(struct unwind *u, uint64_t sp, uint64_t function, uint64_t *ret)
{
	uint64_t pair[2];

	for (uint64_t at = sp & ~7ull; at < sp + STACK_SEARCH; at += 8) {
		if (!read_memory(u, at, pair, sizeof pair))
			return false;
		if (is_call_of(u, pair[1], function)) {
			*ret = at;
			return true;
		}
	}
	return false;
}

/* The rule of code without unwind tables that keeps a frame pointer. */
static bool step_frame_pointer(struct unwind *u, struct regs *r)
{
	uint64_t rbp, sp, pair[2];

	if (!reg_get(r, REG_RBP, &rbp) || !reg_get(r, REG_RSP, &sp) || rbp < sp || rbp % 8 ||
		!read_memory(u, rbp, pair, sizeof pair) || !maps_find(u->maps, pair[1] - 1))
		return false;
	r->valid = 0;
	reg_set(r, REG_RBP, pair[0]);
	reg_set(r, REG_RSP, rbp + sizeof pair);
	reg_set(r, REG_RIP, pair[1]);
	return true;
}

static bool find_cfa(struct unwind *u, Dwarf_Frame *frame, struct module *module, uint64_t vaddr,
	uint64_t bias, struct regs *r, uint64_t *ret)
{
	struct eval e = {.read = read_for_eval, .arg = u, .regs = r};
	uint64_t function, rbp, sp;
	Dwarf_Op *ops;
	size_t n = 0;

	if (dwarf_frame_cfa(frame, &ops, &n) != 0 || n == 0)
		return false;
	if (eval_ops(&e, ops, n, ret))
		return true;
	if (r->valid & 1u << REG_RBP || !reg_get(r, REG_RSP, &sp) ||
		!module_function(module, vaddr, &function) ||
		!find_frame_pointer(u, sp, function + bias, &rbp))
		return false;
	reg_set(r, REG_RBP, rbp);
	return eval_ops(&e, ops, n, ret);
}

/* The unwind rule at an address of a module's file, or NULL. Threads that wait alike ask for the same ones. */
static Dwarf_Frame *find_rule(struct unwind *u, struct module *module, uint64_t vaddr)
{
	uint64_t key = hash_mix((uintptr_t)module, vaddr, 1);
	Dwarf_Frame *frame = hash_get(u->frames, key);
	Dwarf_CFI *cfi = frame ? NULL : module_cfi(module);

	if (cfi && dwarf_cfi_addrframe(cfi, vaddr, &frame) == 0)
		(void)hash_set(u->frames, key, frame);
	return frame;
}

/* Goes from a frame to its caller; false: there is none, or it cannot be told. */
static bool step(struct unwind *u, struct regs *r, bool is_first, bool *ret_exact)
{
	uint64_t pc = r->v[REG_RIP] - (is_first || *ret_exact ? 0 : 1), first, bias, cfa;
	const struct map *map = maps_find(u->maps, pc);
	struct regs next = {.valid = 0};
	bool is_signal = false;
	Dwarf_Frame *frame;

	if (!map || !module_vaddr(map->module, map->offset, &first))
		return map && step_frame_pointer(u, r);
	bias = map->start - first;
	frame = find_rule(u, map->module, pc - bias);
	if (!frame)
		return step_frame_pointer(u, r);
	if (!find_cfa(u, frame, map->module, pc - bias, bias, r, &cfa))
		return false;
	(void)dwarf_frame_info(frame, NULL, NULL, &is_signal);
	for (size_t i = 0; i < ARRAY_SIZE(kept_regs); i++)
		restore(u, frame, r, cfa, kept_regs[i], &next);
	if (!(next.valid & 1u << REG_RSP))
		reg_set(&next, REG_RSP, cfa);
	/* A stack that does not go up would make this walk endless. */
	if (!(next.valid & 1u << REG_RIP) || !next.v[REG_RIP] ||
		(!is_signal && next.v[REG_RSP] <= r->v[REG_RSP]))
		return false;
	*r = next;
	*ret_exact = is_signal;
	return true;
}

/* Reads "NR ARGS... SP PC"; a thread that runs, or is not in a system call, says so in its own way. */
static int read_registers(pid_t pid, pid_t tid, struct regs *ret, long *ret_nr, uint64_t *ret_arg0)
{
	char path[64], text[256], *end;
	_cleanup_close_ int fd = -1;
	uint64_t a[8];
	ssize_t len;
	int n = 0;

	(void)snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", (int)pid, (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, text, sizeof text - 1);
	if (len < 0)
		return -errno;
	text[len] = '\0';
	*ret_nr = strtol(text, &end, 10);
	if (end == text)
		return -EBUSY;
	while (n < 8 && *end == ' ') {
		const char *at = end;

		a[n++] = strtoull(at, &end, 16);
	}
	if (n != 8 && n != 2)
		return -EIO;
	*ret_arg0 = n == 8 ? a[0] : 0;
	reg_set(ret, REG_RSP, a[n - 2]);
	reg_set(ret, REG_RIP, a[n - 1]);
	return 0;
}

/*
 * The functions that make a process have no unwind rule, because their return
 * is twofold. Their caller's address is on top of the stack; vfork has it in
 * the first argument's register, since the child uses the same stack.
 */
static bool step_fork(struct unwind *u, struct regs *r, long nr, uint64_t arg0)
{
#if defined(SYS_vfork)
	uint64_t caller = arg0;

	if (nr == SYS_clone || nr == SYS_clone3) {
		if (!read_memory(u, r->v[REG_RSP], &caller, sizeof caller))
			return false;
		r->v[REG_RSP] += sizeof caller;
	} else if (nr != SYS_vfork) {
		return false;
	}
	if (!maps_find(u->maps, caller - 1))
		return false;
	r->v[REG_RIP] = caller;
	return true;
#else
	(void)u;
	(void)r;
	(void)nr;
	(void)arg0;
	return false;
#endif
}

static int unwind(struct symbols *s, int64_t process, pid_t pid, struct regs r, long nr,
	uint64_t arg0, uint64_t *addrs, int max)
{
	_cleanup_free_ struct unwind *u = NULL;
	_cleanup_close_ int held = -1;
	bool exact = true;
	int n = 0, rc;

#ifndef __x86_64__
	return -ENOTSUP;
#endif
	if (!symbols_maps(s, process)) {
		rc = symbols_map_proc(s, process, pid);
		if (rc)
			return rc;
	}
	held = symbols_hold(s, pid);
	if (held < 0)
		return held;
	u = xmalloc(sizeof *u);
	u->maps = symbols_maps(s, process);
	u->frames = symbols_frames(s);
	u->pid = pid;
	read_window(u, r.v[REG_RSP]);
	if (!u->window_len)
		return -errno;
	while (n < max) {
		addrs[n++] = r.v[REG_RIP];
		if (n == 1 && step_fork(u, &r, nr, arg0)) {
			exact = false;
			continue;
		}
		if (!step(u, &r, n == 1, &exact))
			break;
	}
	/* Else it was, in part, the memory of another that got the number since. */
	return authority_still(held, pid) ? n : -ESRCH;
}

int symbols_unwind(
	struct symbols *s, int64_t process, pid_t pid, pid_t tid, uint64_t *addrs, int max)
{
	struct regs r = {.valid = 0};
	uint64_t arg0 = 0;
	long nr = -1;
	int rc = read_registers(pid, tid, &r, &nr, &arg0);

	return rc ? rc : unwind(s, process, pid, r, nr, arg0, addrs, max);
}

int symbols_unwind_from(struct symbols *s, int64_t process, pid_t pid,
	const struct symbols_registers *at, uint64_t *addrs, int max)
{
	struct regs r = {.valid = 0};

	reg_set(&r, REG_RSP, at->sp);
	reg_set(&r, REG_RIP, at->pc);
	return unwind(s, process, pid, r, (long)at->nr, at->arg0, addrs, max);
}
