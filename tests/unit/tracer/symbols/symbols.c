/* symbols.c - tests of tracer/symbols/symbols.h, on this very program. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"
#include "tracer/symbols/jit.h"

#include <pthread.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tracer/symbols/maps.h"
#include "tracer/symbols/symbols.h"
#include "tracer/symbols/table.h"

pthread_mutex_t symbols_test_mutex = PTHREAD_MUTEX_INITIALIZER;
static int symbols_test_array[8];
static struct {
	char before[24];
	struct {
		short a[2][3];
		union {
			long word;
			char bytes[8];
		} either;
		struct {
			int _Hidden;
			int nameless;
		};
	} table[4];
	struct {
		long __data[2];
	} reserved;
} symbols_test_parts;

enum { BLOCK_LINE = __LINE__ + 5 };
__attribute__((noinline, used)) static void symbols_test_block(int depth)
{
	if (depth == 0) {
		(void)pthread_mutex_lock(&symbols_test_mutex);
		(void)pthread_mutex_lock(&symbols_test_mutex); /* BLOCK_LINE */
	} else {
		symbols_test_block(depth - 1);
	}
	symbols_test_array[depth & 7]++;
}

__attribute__((noinline, optimize("O0", "no-omit-frame-pointer"))) static void symbols_test_plain(
	void)
{
	volatile int space[64];

	space[0] = 3;
	symbols_test_block(space[0]);
	space[1] = space[0];
}

/* Waits until the child sleeps in a futex call. */
static void wait_blocked(pid_t pid)
{
	char path[64], text[64];

	(void)snprintf(path, sizeof path, "/proc/%d/syscall", (int)pid);
	for (int i = 0; i < 5000; i++) {
		_cleanup_fclose_ FILE *f = fopen(path, "re");
		size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

		text[n] = '\0';
		if (n && atoi(text) == SYS_futex && text[0] != 'r')
			return;
		(void)usleep(1000);
	}
	ASSERT(!"the child never blocked");
}

static pid_t start_in(void (*work)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		work();
		_exit(0);
	}
	wait_blocked(pid);
	return pid;
}

static pid_t start_blocked(void)
{
	return start_in(symbols_test_plain);
}

static void symbols_test_handler(int signo)
{
	symbols_test_block(signo - SIGUSR1);
	symbols_test_array[3]++;
}

/* A handler that blocks, above a loop whose address at the moment of the signal is no return address. */
__attribute__((noinline)) static void symbols_test_signalled(void)
{
	(void)signal(SIGUSR1, symbols_test_handler);
	(void)raise(SIGUSR1);
	symbols_test_array[0]++;
}

/* No direct call leads to the function whose frame only the frame pointer tells, and its caller keeps none. */
static void (*volatile symbols_test_called)(void) = symbols_test_plain;
__attribute__((noinline)) static void symbols_test_indirect(void)
{
	symbols_test_called();
	symbols_test_array[1]++;
}

/* Code that a program makes: push %rbp; mov %rsp,%rbp; call *%rdi; pop %rbp; ret. */
static void symbols_test_jit(void)
{
	static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
	void *made = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void (*run)(void (*)(void));
	char path[64];
	FILE *map;

	memcpy(made, code, sizeof code);
	(void)mprotect(made, 4096, PROT_READ | PROT_EXEC);
	(void)snprintf(path, sizeof path, "/tmp/perf-%d.map", (int)getpid());
	map = fopen(path, "we");
	(void)fprintf(map, "nonsense\n%lx 1 old\n%lx %zx made of spaces\n", (long)made, (long)made,
		sizeof code);
	(void)fclose(map);
	*(void **)&run = made;
	run(symbols_test_indirect);
	symbols_test_array[2]++;
}

#if defined(__x86_64__)
/*
 * As compilers lay functions out: something else stands between what is pushed and what is reserved. Where the frame
 * pointer would be without the latter, an earlier call has left another frame.
 */
void symbols_test_scattered(void);
__asm__(".text\n"
	".type symbols_test_scattered, @function\n"
	"symbols_test_scattered:\n"
	"	.cfi_startproc\n"
	"	push %rbp\n"
	"	.cfi_def_cfa_offset 16\n"
	"	.cfi_offset 6, -16\n"
	"	mov %rsp, %rbp\n"
	"	.cfi_def_cfa_register 6\n"
	"	push %rbx\n"
	"	lea 16(%rbp), %rax\n"
	"	sub $72, %rsp\n"
	"	lea 1f(%rip), %rax\n"
	"	mov %rbp, 8(%rsp)\n"
	"	mov %rax, 16(%rsp)\n"
	"	mov $3, %edi\n"
	"	call symbols_test_block\n"
	"1:	add $72, %rsp\n"
	"	pop %rbx\n"
	"	pop %rbp\n"
	"	.cfi_def_cfa 7, 8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size symbols_test_scattered, . - symbols_test_scattered\n");

__attribute__((noinline)) static void symbols_test_calls_scattered(void)
{
	symbols_test_scattered();
	symbols_test_array[3]++;
}
#endif

static void stop(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static const char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

static void expect_data(struct symbols *s, const void *at, const char *name)
{
	_cleanup_free_ char *found = symbols_data(s, 1, (uintptr_t)at);

	ASSERT_STR(found, name);
}

TEST(symbols_code_and_data)
{
	struct symbols *s = symbols_new();
	struct symbol at;

	ASSERT_INT(symbols_map_proc(s, 1, getpid()), 0);
	ASSERT(symbols_code(s, 1, (uintptr_t)symbols_test_block, false, &at));
	ASSERT_STR(at.function, "symbols_test_block");
	ASSERT_STR(base_name(at.file), "symbols.c");
	ASSERT(at.line >= BLOCK_LINE - 5 && at.line <= BLOCK_LINE);
	ASSERT(!symbols_is_library(s, 1, (uintptr_t)symbols_test_block + 1));
	ASSERT(symbols_is_library(s, 1, (uintptr_t)&pthread_mutex_lock + 1));
	ASSERT(symbols_code(s, 1, (uintptr_t)&getppid + 4, true, &at));
	ASSERT_STR(at.function, "getppid");
	expect_data(s, &symbols_test_mutex, "symbols_test_mutex");
	ASSERT(!symbols_data(s, 1, (uintptr_t)&at));
	ASSERT(!symbols_code(s, 1, 1, false, &at));
	ASSERT(!symbols_code(s, 2, (uintptr_t)symbols_test_block, false, &at));
	symbols_free(s);
}

TEST(symbols_data_parts)
{
	struct symbols *s = symbols_new();
	char *place = (char *)&symbols_test_parts;

	ASSERT_INT(symbols_map_proc(s, 1, getpid()), 0);
	expect_data(s, symbols_test_array, "symbols_test_array[0]");
	expect_data(s, &symbols_test_array[2], "symbols_test_array[2]");
	expect_data(s, (char *)&symbols_test_array[2] + 1, "symbols_test_array[2]+1");
	expect_data(s, place + 2, "symbols_test_parts.before[2]");
	expect_data(s, &symbols_test_parts.table[3].a[1][2], "symbols_test_parts.table[3].a[1][2]");
	/* Members of a union are the same memory. */
	expect_data(s, &symbols_test_parts.table[1].either.bytes[4],
		"symbols_test_parts.table[1].either+4");
	expect_data(
		s, &symbols_test_parts.table[2].nameless, "symbols_test_parts.table[2].nameless");
	/* What begins with an underscore and a capital or a second one is not for people. */
	expect_data(s, &symbols_test_parts.table[2]._Hidden, "symbols_test_parts.table[2]");
	expect_data(s, &symbols_test_parts.reserved.__data[1], "symbols_test_parts.reserved+8");
	symbols_free(s);
}

TEST(symbols_inherit_and_forget)
{
	struct symbols *s = symbols_new();
	struct symbol at;

	ASSERT_INT(symbols_map_proc(s, 1, getpid()), 0);
	symbols_inherit(s, 2, 1);
	symbols_forget(s, 1);
	ASSERT(!symbols_code(s, 1, (uintptr_t)symbols_test_block, false, &at));
	ASSERT(symbols_code(s, 2, (uintptr_t)symbols_test_block, false, &at));
	/* A change of one process's mappings leaves the other's alone. */
	symbols_inherit(s, 3, 2);
	symbols_map(s, 3, (uintptr_t)symbols_test_block & ~0xfffull, 4096, 0, "/no/such/file");
	ASSERT(symbols_code(s, 3, (uintptr_t)symbols_test_block, false, &at));
	ASSERT_STR(at.module, "/no/such/file");
	ASSERT(!at.function);
	ASSERT_INT(at.offset, (uintptr_t)symbols_test_block & 0xfff);
	ASSERT(symbols_code(s, 2, (uintptr_t)symbols_test_block, false, &at));
	ASSERT_STR(at.function, "symbols_test_block");
	symbols_forget(s, 77);
	symbols_free(s);
}

TEST(symbols_map_refuses_what_is_no_file)
{
	struct symbols *s = symbols_new();
	char path[] = "/tmp/pptrace-symbols.XXXXXX";
	struct symbol at;

	ASSERT(mkdtemp(path));
	{
		char *fifo = xasprintf("%s/fifo", path), *junk = xasprintf("%s/junk", path);
		FILE *f = fopen(junk, "we");

		ASSERT_INT(mkfifo(fifo, 0600), 0);
		ASSERT(f);
		(void)fputs("\177ELF and then nothing that makes sense", f);
		(void)fclose(f);
		symbols_map(s, 1, 0x10000, 0x1000, 0x2000, fifo); /* must not block */
		symbols_map(s, 1, 0x20000, 0x1000, 0x2000, junk);
		ASSERT(symbols_code(s, 1, 0x10010, true, &at));
		ASSERT_STR(at.module, fifo);
		ASSERT_INT(at.offset, 0x2010);
		ASSERT(symbols_code(s, 1, 0x20010, false, &at));
		ASSERT(!at.function);
		ASSERT(!symbols_data(s, 1, 0x20010));
		(void)unlink(fifo);
		(void)unlink(junk);
		free(fifo);
		free(junk);
	}
	(void)rmdir(path);
	symbols_free(s);
}

/* A file is opened once, however many processes map it; another one at its place is another one. */
TEST(symbols_map_opens_once)
{
	struct symbols *s = symbols_new();
	_cleanup_free_ char *path = xasprintf("/tmp/pptrace-mapped.%d", (int)getpid());
	uint64_t code = (uintptr_t)symbols_test_block;
	const struct map *map;
	struct rlimit old, none;
	struct symbol first, second;
	FILE *f;

	ASSERT(getrlimit(RLIMIT_NOFILE, &old) == 0);
	none = (struct rlimit){0, old.rlim_max};
	ASSERT(symbols_map_proc(s, 1, getpid()) == 0);
	ASSERT(symbols_code(s, 1, code, false, &first) && first.function);
	map = maps_find(symbols_maps(s, 1), code);
	ASSERT(map && setrlimit(RLIMIT_NOFILE, &none) == 0);
	symbols_map(s, 2, map->start, map->len, map->offset, first.module);
	ASSERT(symbols_code(s, 2, code, false, &second));
	ASSERT_INT(setrlimit(RLIMIT_NOFILE, &old), 0);
	ASSERT_STR(second.module, first.module);
	ASSERT(second.function && !strcmp(second.function, first.function));
	f = fopen(path, "we");
	ASSERT(f && fputs("a", f) >= 0 && fclose(f) == 0);
	symbols_map(s, 3, 0x10000, 0x1000, 0, path);
	ASSERT(symbols_code(s, 3, 0x10010, false, &first));
	ASSERT(unlink(path) == 0 && (f = fopen(path, "we")) != NULL);
	ASSERT(fputs("another", f) >= 0 && fclose(f) == 0);
	symbols_map(s, 3, 0x20000, 0x1000, 0, path);
	ASSERT(symbols_code(s, 3, 0x20010, false, &second));
	ASSERT(first.module != second.module);
	ASSERT(unlink(path) == 0);
	symbols_free(s);
}

static int unwind(struct symbols *s, pid_t pid, struct symbols_frame *f, int max)
{
	struct symbols_registers at = {.nr = -1};
	int rc = symbols_registers_read(pid, pid, &at);

	return rc ? rc : symbols_unwind_from(s, 1, pid, &at, f, max);
}

/* The depth of a function among frames, or -1. */
static int frame_of(struct symbols *s, const struct symbols_frame *f, int n, const char *function)
{
	struct symbol at;

	for (int i = 0; i < n; i++)
		if (symbols_code(s, 1, f[i].addr, f[i].is_return, &at) &&
			test_str_eq(at.function, function))
			return i;
	return -1;
}

TEST(symbols_unwind_blocked)
{
	pid_t pid = start_blocked();
	struct symbols *s = symbols_new();
	struct symbol at;
	struct symbols_frame f[32];
	int n = unwind(s, pid, f, 32), own = 0;

	ASSERT(n > 5);
	while (own < n && symbols_is_library(s, 1, f[own].addr))
		own++;
	ASSERT(own > 0 && own < n);
	ASSERT(symbols_code(s, 1, f[own].addr, true, &at));
	ASSERT_STR(at.function, "symbols_test_block");
	ASSERT_INT(at.line, BLOCK_LINE);
	/* The walk goes on through a function whose frame only the frame pointer tells. */
	ASSERT(frame_of(s, f, n, "main") > own + 2);
	stop(pid);
	/* Names stay known after the end of the process. */
	ASSERT(symbols_code(s, 1, f[own].addr, true, &at));
	ASSERT_STR(at.function, "symbols_test_block");
	ASSERT(unwind(s, pid, f, 32) < 0);
	ASSERT(symbols_map_proc(s, 9, pid) < 0);
	symbols_free(s);
}

TEST(symbols_unwind_indirect)
{
	pid_t pid = start_in(symbols_test_indirect);
	struct symbols *s = symbols_new();
	struct symbols_frame f[32];
	int n = unwind(s, pid, f, 32);
	int plain = frame_of(s, f, n, "symbols_test_plain");

	stop(pid);
	ASSERT(plain > 0);
	ASSERT_INT(frame_of(s, f, n, "symbols_test_indirect"), plain + 1);
	ASSERT(frame_of(s, f, n, "main") > plain + 1);
	symbols_free(s);
}

#if defined(__x86_64__)
TEST(symbols_unwind_scattered)
{
	pid_t pid = start_in(symbols_test_calls_scattered);
	struct symbols *s = symbols_new();
	struct symbols_frame f[32];
	int n = unwind(s, pid, f, 32);
	int scattered = frame_of(s, f, n, "symbols_test_scattered");

	stop(pid);
	ASSERT(scattered > 0);
	ASSERT_INT(frame_of(s, f, n, "symbols_test_calls_scattered"), scattered + 1);
	ASSERT(frame_of(s, f, n, "main") > scattered + 1);
	symbols_free(s);
}
#endif

TEST(symbols_unwind_signal)
{
	pid_t pid = start_in(symbols_test_signalled);
	struct symbols *s = symbols_new();
	struct symbols_frame f[32];
	int n = unwind(s, pid, f, 32), returns = 0;
	int handler = frame_of(s, f, n, "symbols_test_handler");

	stop(pid);
	ASSERT(handler > 0);
	ASSERT(frame_of(s, f, n, "symbols_test_signalled") > handler + 1);
	for (int i = 0; i < n; i++)
		returns += f[i].is_return;
	/* The innermost one, and where the signal came. */
	ASSERT_INT(returns, n - 2);
	ASSERT(!f[0].is_return && !f[handler + 2].is_return);
	symbols_free(s);
}

TEST(symbols_unwind_made_code)
{
	pid_t pid = start_in(symbols_test_jit);
	struct symbols *s = symbols_new();
	struct symbols_frame f[32];
	int n = unwind(s, pid, f, 32);
	int made = frame_of(s, f, n, "made of spaces");
	char path[64];

	stop(pid);
	(void)snprintf(path, sizeof path, "/tmp/perf-%d.map", (int)pid);
	(void)unlink(path);
	ASSERT(made > 0);
	ASSERT_INT(frame_of(s, f, n, "symbols_test_indirect"), made - 1);
	ASSERT_INT(frame_of(s, f, n, "symbols_test_jit"), made + 1);
	ASSERT(symbols_is_mapped(s, 1, f[made].addr) && !symbols_is_library(s, 1, f[made].addr));
	symbols_free(s);
}

/* V8's names have a file and a line. */
TEST(symbols_javascript)
{
	static const struct {
		const char *name, *function, *file;
		int line;
	} cases[] = {{"JS:~sync /srv/cases.js:26:14", "sync", "/srv/cases.js", 26},
		{"LazyCompile:*next file:///srv/x.mjs:3:4", "next", "file:///srv/x.mjs", 3},
		{"JS:^ /srv/a b.js:1:1", " /srv/a", "b.js", 1},
		{"JS:~ node:internal/main/run_main_module:1:1", "anonymous",
			"node:internal/main/run_main_module", 1},
		{"JS:~x y:z", "JS:~x y:z", NULL, 0}, {"JS: :1:1", "JS: :1:1", NULL, 0},
		{"JS:", "JS:", NULL, 0}, {"Builtin:Call 3:4:5", "Builtin:Call 3:4:5", NULL, 0}};
	struct jit *jit = jit_new(getpid());
	char path[64];
	FILE *map;

	(void)snprintf(path, sizeof path, "/tmp/perf-%d.map", (int)getpid());
	map = fopen(path, "we");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		(void)fprintf(map, "%zx 10 %s\n", 0x1000 * (i + 1), cases[i].name);
	(void)fclose(map);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct jit_place *p = jit_find(jit, 0x1000 * (i + 1) + 8);

		ASSERT(p != NULL);
		ASSERT_STR(p->function, cases[i].function);
		ASSERT_STR(p->file ? p->file : "", cases[i].file ? cases[i].file : "");
		ASSERT_INT(p->line, cases[i].line);
	}
	(void)unlink(path);
	jit_free(jit);
}

/* The code that the kernel puts into each process has functions and unwind tables as a file has. */
TEST(symbols_vdso)
{
	struct symbols *s = symbols_new();
	uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
	bool found = false;

	if (!vdso)
		SKIP("this kernel has no vdso");
	ASSERT_INT(symbols_map_proc(s, 1, getpid()), 0);
	for (uint64_t at = vdso; at < vdso + 8192 && !found; at += 16) {
		const char *name = symbols_function(s, 1, at, false);

		found = name && strstr(name, "clock_gettime");
	}
	ASSERT(found);
	symbols_free(s);
}

#define ASSERT_SHOWN(name, wanted)                                                                 \
	do {                                                                                       \
		_cleanup_free_ char *shown_ = symtab_demangle(name);                               \
		ASSERT_STR(shown_, wanted);                                                        \
	} while (0)

TEST(symbols_demangle)
{
	ASSERT_SHOWN("_ZNSt5mutex4lockEv", "std::mutex::lock()");
	ASSERT(!symtab_demangle("main"));
	ASSERT(!symtab_demangle("_Zgarbage!"));
	/* Rust: the older scheme with its hash, the newer one, and a closure in it. */
	ASSERT_SHOWN("_ZN4bank8transfer17h0123456789abcdefE", "bank::transfer");
	ASSERT_SHOWN("_RNvCs7rNqBXzVvXe_4bank8transfer", "bank::transfer");
	ASSERT_SHOWN("_RNCNvCs7rNqBXzVvXe_4bank4main0", "bank::main::{closure#0}");
	ASSERT(!symtab_demangle("_Rgarbage!"));
}

static void add_digits(struct buf *b, unsigned n, unsigned base)
{
	static const char digits[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	if (n >= base)
		add_digits(b, n / base, base);
	/* C++ counts with capital letters. */
	buf_addc(b, base == 36 && n % base > 9 ? (char)('A' + n % base - 10) : digits[n % base]);
}

/* Each part of a name may be two references to the one before: the whole would have 2^40 parts. */
TEST(symbols_demangle_endless)
{
	_cleanup_buf_ struct buf rust = BUF_INIT, cxx = BUF_INIT;
	size_t last = strlen("IC1a");

	buf_adds(&rust, "_RIC1aTyyE");
	buf_adds(&cxx, "_Z1fSt4pairIiiE");
	for (unsigned i = 0; i < 40; i++) {
		size_t at = rust.len - 2;

		buf_addc(&rust, 'T');
		for (int k = 0; k < 2; k++) {
			buf_addc(&rust, 'B');
			add_digits(&rust, (unsigned)last - 1, 62);
			buf_addc(&rust, '_');
		}
		buf_addc(&rust, 'E');
		last = at;
		buf_adds(&cxx, "S_I");
		for (int k = 0; k < 2; k++) {
			buf_addc(&cxx, 'S');
			add_digits(&cxx, i, 36);
			buf_addc(&cxx, '_');
		}
		buf_addc(&cxx, 'E');
	}
	buf_addc(&rust, 'E');
	ASSERT(!symtab_demangle(rust.data));
	ASSERT(!symtab_demangle(cxx.data));
}
