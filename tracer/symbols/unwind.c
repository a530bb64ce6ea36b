/* unwind.c - the user stack of a thread that is blocked, without stopping it. */
/* SPDX-License-Identifier: MIT */
/*
 * /proc tells the stack and instruction pointers of a thread that sleeps in a
 * system call and no other register. That is enough: compiled code finds its
 * caller by the stack pointer nearly everywhere, and where it wants the frame
 * pointer (code built without optimisation), frame_pointer.c finds that.
 * A frame whose caller is not certain ends the walk.
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
#include "tracer/symbols/unwind.h"

static const unsigned char kept_regs[] = ARCH_KEPT;

_Static_assert(sizeof kept_regs == SYMBOLS_KEPT, "symbols_registers has room for them");

static bool read_for_eval(void *arg, uint64_t addr, void *to, size_t len)
{
	return unwind_read(arg, addr, to, len);
}

/* Reads the innermost part of the stack at once: all of a window, or what there is of it before a page that is not there. */
static bool read_window(struct unwind *u, uint64_t sp)
{
	size_t len = sizeof u->window;

	if (!u->read(u->arg, sp, u->window, len)) {
		len = 4096 - sp % 4096;
		if (!u->read(u->arg, sp, u->window, len))
			return false;
	}
	u->window_at = sp;
	u->window_len = len;
	return true;
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
	} else if (eval_ops(&e, ops, n, &value) && unwind_read(u, value, &value, 8)) {
		reg_set(ret, (unsigned)number, value);
	}
}

/* The rule of code without unwind tables that keeps a frame pointer. */
static bool step_frame_pointer(struct unwind *u, struct regs *r)
{
	uint64_t fp, sp, pair[2];

	if (!ARCH_FRAME_SIZE)
		return false;
	u->lacks |= !(r->valid & 1ull << ARCH_REG_FP);
	if (!reg_get(r, ARCH_REG_FP, &fp) || !reg_get(r, ARCH_REG_SP, &sp) || fp < sp || fp % 8 ||
		!unwind_read(u, fp, pair, sizeof pair) || !frame_pointer_is_return(u, pair[1]))
		return false;
	r->valid = 0;
	reg_set(r, ARCH_REG_FP, pair[0]);
	reg_set(r, ARCH_REG_SP, fp + ARCH_FRAME_SIZE);
	reg_set(r, ARCH_REG_PC, pair[1]);
	return true;
}

static bool find_cfa(struct unwind *u, Dwarf_Frame *frame, struct module *module, uint64_t vaddr,
	uint64_t bias, struct regs *r, uint64_t *ret)
{
	struct eval e = {.read = read_for_eval, .arg = u, .regs = r};
	uint64_t function, fp, sp;
	Dwarf_Op *ops;
	size_t n = 0;

	if (dwarf_frame_cfa(frame, &ops, &n) != 0 || n == 0)
		return false;
	if (eval_ops(&e, ops, n, ret))
		return true;
	if (r->valid & 1ull << ARCH_REG_FP)
		return false;
	if (!reg_get(r, ARCH_REG_SP, &sp) || !module_function(module, vaddr, &function) ||
		!frame_pointer_find(u, sp, function + bias, &fp)) {
		u->lacks = true;
		return false;
	}
	reg_set(r, ARCH_REG_FP, fp);
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

/* Goes from a frame to its caller; false: there is none, or it is not known. *ret_exact: the address is that of an instruction, not one to return to. */
static bool step(struct unwind *u, struct regs *r, bool *ret_exact)
{
	uint64_t pc = r->v[ARCH_REG_PC] - !*ret_exact, first, bias, cfa, back;
	const struct map *map = maps_find(u->maps, pc);
	struct regs next = {.valid = 0};
	bool is_signal = false, was_exact = *ret_exact;
	Dwarf_Frame *frame;

	*ret_exact = false;
	if (!map || !module_vaddr(map->module, map->offset, &first))
		return maps_is_code(u->maps, pc) && step_frame_pointer(u, r);
	bias = map->start - first;
	frame = find_rule(u, map->module, pc - bias);
	if (!frame)
		return step_frame_pointer(u, r);
	if (!find_cfa(u, frame, map->module, pc - bias, bias, r, &cfa))
		return false;
	(void)dwarf_frame_info(frame, NULL, NULL, &is_signal);
	for (size_t i = 0; i < ARRAY_SIZE(kept_regs); i++)
		restore(u, frame, r, cfa, kept_regs[i], &next);
	restore(u, frame, r, cfa, ARCH_REG_SP, &next);
	restore(u, frame, r, cfa, ARCH_REG_RETURN, &next);
	if (!(next.valid & 1ull << ARCH_REG_SP))
		reg_set(&next, ARCH_REG_SP, cfa);
	if (!reg_get(&next, ARCH_REG_RETURN, &back)) {
		/* A function that has called nothing yet may have it in a register that is not known. */
		u->lacks |= was_exact && ARCH_REG_RETURN != ARCH_REG_PC;
		return false;
	}
	/* A stack that does not go up would make this walk endless; where the address is in a register the innermost need not have any. */
	if (!back || (!is_signal && next.v[ARCH_REG_SP] < r->v[ARCH_REG_SP] + !was_exact))
		return false;
	/* In the caller it is where the caller is, and no register's value. */
	next.valid &= ~(1ull << ARCH_REG_RETURN);
	reg_set(&next, ARCH_REG_PC, ARCH_CODE_ADDRESS(back));
	*r = next;
	*ret_exact = is_signal;
	return true;
}

/* Reads "NR ARGS... SP PC"; a thread that runs, or is not in a system call, says so in its own way. */
int symbols_registers_read(pid_t pid, pid_t tid, struct symbols_registers *ret)
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
	ret->nr = strtol(text, &end, 10);
	if (end == text)
		return -EBUSY;
	while (n < 8 && *end == ' ') {
		const char *at = end;

		a[n++] = strtoull(at, &end, 16);
	}
	if (n != 8 && n != 2)
		return -EIO;
	ret->arg0 = n == 8 ? a[0] : 0;
	ret->sp = a[n - 2];
	ret->pc = a[n - 1];
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
		if (!unwind_read(u, r->v[ARCH_REG_SP], &caller, sizeof caller))
			return false;
		r->v[ARCH_REG_SP] += sizeof caller;
	} else if (nr != SYS_vfork) {
		return false;
	}
	if (!maps_is_code(u->maps, caller - 1))
		return false;
	r->v[ARCH_REG_PC] = caller;
	return true;
#else
	(void)u;
	(void)r;
	(void)nr;
	(void)arg0;
	return false;
#endif
}

/* The program would not have the preload library's frames without pptrace. */
static bool is_ours(const struct unwind *u, uint64_t addr)
{
	const struct map *map = maps_find(u->maps, addr);

	return map && strstr(module_path(map->module), "/libpptrace-shim");
}

/* Walks from the registers r on. */
static int walk(struct unwind *u, struct regs r, const struct symbols_registers *at,
	struct symbols_frame *frames, int max)
{
	bool exact = true;
	int n = 0;

	for (bool is_first = true; n < max; is_first = false) {
		if (!is_ours(u, r.v[ARCH_REG_PC] - !exact))
			frames[n++] = (struct symbols_frame){r.v[ARCH_REG_PC], !exact,
				r.valid & 1ull << ARCH_REG_FP ? r.v[ARCH_REG_FP] : 0};
		if (is_first && step_fork(u, &r, (long)at->nr, at->arg0)) {
			exact = false;
			continue;
		}
		if (!step(u, &r, &exact))
			break;
	}
	return n;
}

int symbols_unwind_memory(struct symbols *s, int64_t process, const struct symbols_registers *at,
	symbols_memory *read, void *arg, struct symbols_frame *frames, int max)
{
	_cleanup_free_ struct unwind *u = NULL;
	struct regs r = {.valid = 0};
	int n;

	u = xmalloc(sizeof *u);
	u->maps = symbols_maps(s, process);
	u->frames = symbols_frames(s);
	u->read = read;
	u->arg = arg;
	u->window_len = 0;
	u->lacks = false;
	if (!u->maps || !read_window(u, at->sp))
		return -EFAULT;
	reg_set(&r, ARCH_REG_SP, at->sp);
	reg_set(&r, ARCH_REG_PC, at->pc);
	for (size_t i = 0; at->has_kept && i < SYMBOLS_KEPT; i++)
		reg_set(&r, kept_regs[i], at->kept[i]);
	n = walk(u, r, at, frames, max);
	if (at->lacks)
		*at->lacks |= u->lacks;
	return n;
}

static bool read_process(void *arg, uint64_t addr, void *to, size_t len)
{
	const pid_t *pid = arg;
	struct iovec local = {to, len}, remote = {(void *)(uintptr_t)addr, len};

	return process_vm_readv(*pid, &local, 1, &remote, 1, 0) == (ssize_t)len;
}

int symbols_unwind_from(struct symbols *s, int64_t process, pid_t pid,
	const struct symbols_registers *at, struct symbols_frame *frames, int max)
{
	_cleanup_close_ int held = -1;
	int rc = symbols_maps(s, process) ? 0 : symbols_map_proc(s, process, pid);

	if (rc)
		return rc;
	held = symbols_hold(s, pid);
	if (held < 0)
		return held;
	rc = symbols_unwind_memory(s, process, at, read_process, &pid, frames, max);
	/* Otherwise some of it was the memory of another process that got the ID since. */
	return authority_still(held, pid) ? rc : -ESRCH;
}
