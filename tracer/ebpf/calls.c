/* calls.c - which system calls the eBPF programs look at. */
/* SPDX-License-Identifier: MIT */
#include "tracer/ebpf/calls.h"

#include <stddef.h>
#include <sys/syscall.h>

#include "base/mem.h"

struct row {
	int nr;
	struct call_info info;
};

#define TIME CALL_TAKES_TIME
static const struct row rows[] = {
#define CALL(name, kind, enter, exit, flags, ...)                                                  \
	{SYS_##name, {CALL_##kind, HANDLE_##enter, HANDLE_##exit, flags}},
#include "schema/calls.def"
};

void ebpf_calls_fill(struct call_info *calls)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].nr < CALLS_MAX)
			calls[rows[i].nr] = rows[i].info;
}

#if defined(__x86_64__)
/* i386 number, native number. */
static const unsigned short compat[][2] = {
	{1, SYS_exit},
	{2, SYS_fork},
	{3, SYS_read},
	{4, SYS_write},
	{5, SYS_open},
	{6, SYS_close},
	{7, SYS_wait4}, /* waitpid: the same but for the last argument */
	{8, SYS_creat},
	{11, SYS_execve},
	{29, SYS_pause},
	{41, SYS_dup},
	{42, SYS_pipe},
	{54, SYS_ioctl},
	{55, SYS_fcntl},
	{63, SYS_dup2},
	{114, SYS_wait4},
	{120, SYS_clone},
	{142, SYS_select},
	{143, SYS_flock},
	{145, SYS_readv},
	{146, SYS_writev},
	{162, SYS_nanosleep},
	{168, SYS_poll},
	{177, SYS_rt_sigtimedwait},
	{179, SYS_rt_sigsuspend},
	{190, SYS_vfork},
	{221, SYS_fcntl},
	{240, SYS_futex},
	{252, SYS_exit_group},
	{256, SYS_epoll_wait},
	{267, SYS_clock_nanosleep},
	{284, SYS_waitid},
	{295, SYS_openat},
	{308, SYS_pselect6},
	{309, SYS_ppoll},
	{319, SYS_epoll_pwait},
	{330, SYS_dup3},
	{331, SYS_pipe2},
	{358, SYS_execveat},
	{360, SYS_socketpair},
	{362, SYS_connect},
	{364, SYS_accept4},
	{369, SYS_sendto},
	{370, SYS_sendmsg},
	{371, SYS_recvfrom},
	{372, SYS_recvmsg},
	{407, SYS_clock_nanosleep},
	{413, SYS_pselect6},
	{414, SYS_ppoll},
	{421, SYS_rt_sigtimedwait},
	{422, SYS_futex},
};
#endif

void ebpf_calls_fill_compat(struct compat_info *calls)
{
#if defined(__x86_64__)
	struct call_info native[CALLS_MAX] = {{0}};

	ebpf_calls_fill(native);
	for (size_t i = 0; i < ARRAY_SIZE(compat); i++) {
		calls[compat[i][0]].nr = (uint16_t)(compat[i][1] + 1);
		calls[compat[i][0]].call = native[compat[i][1]].call;
	}
#else
	(void)calls;
#endif
}
