/* calls.c - tests of what is known of system calls that can block. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include "schema/calls.h"

#include <sys/syscall.h>

TEST(calls_say_on_which_descriptor_they_block)
{
	ASSERT_INT(call_waits(SYS_read)->family, FAMILY_READ);
	ASSERT(call_waits(SYS_read)->has_fd);
	ASSERT_INT(call_waits(SYS_read)->fd, 0);
	ASSERT(!call_waits(SYS_futex)->has_fd);
	/* Numbers that are none, and those of calls that never block. */
	ASSERT_INT(call_waits(-1)->family, FAMILY_OTHER);
	ASSERT_INT(call_waits(INT64_MAX)->family, FAMILY_OTHER);
	ASSERT(!call_waits(SYS_getpid)->has_fd);
}

TEST(calls_say_whether_they_have_a_time_out)
{
	uint64_t args[6] = {0};

	ASSERT(!call_is_limited(SYS_recvmmsg, args));
	args[4] = 0x1000;
	ASSERT(call_is_limited(SYS_recvmmsg, args));
	ASSERT(call_is_limited(SYS_mq_timedreceive, args));
	ASSERT(!call_is_limited(SYS_recvmsg, args));
	args[3] = (uint32_t)-1;
	ASSERT(!call_is_limited(SYS_epoll_pwait, args));
	args[3] = 0;
	ASSERT(call_is_limited(SYS_epoll_pwait, args));
}
