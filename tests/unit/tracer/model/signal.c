/* signal.c - tests of the model: signals, handlers, timers. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/tracer/model/feed.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/syscall.h>

#define SIGNALS                                                                                    \
	"SELECT name, source, sender_id, process_id, thread_id, sent_ns, result, delivered_ns, disposition FROM signal ORDER BY id"

/* si_code has type int: a negative one is sent as a 64-bit number. */
static const uint64_t by_tkill = (uint64_t)(int64_t)SI_TKILL;

TEST(sig_send_and_deliver)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	feed_fork(&f, 11);
	FEED(&f, SIG_SEND, .signo = SIGTERM, .code = SI_USER, .target_pid = 11, .target_tid = 11,
		.group = 1, .sender = SENDER_TASK);
	FEED(&f, SIG_SEND, .signo = SIGTERM, .code = SI_USER, .target_pid = 11, .target_tid = 11,
		.group = 1, .sender = SENDER_TASK, .result = SIG_ALREADY_PENDING);
	FEED(&f, SIG_SEND, .signo = SIGUSR1, .code = by_tkill, .target_pid = 11, .target_tid = 11,
		.sender = SENDER_TASK, .result = SIG_IGNORED_);
	feed_at(&f, 200, 11, 11);
	FEED(&f, SIG_DELIVER, .signo = SIGTERM, .handler = 0x4000, .syscall = 0);
	feed_end(&f, 1000);
	EXPECT(&f, SIGNALS,
		"SIGTERM|kill|1|2|2|100|queued|200|handler SIGTERM|kill|1|2|-|100|coalesced|-|- "
		"SIGUSR1|thread|1|2|2|100|ignored|-|-");
	EXPECT(&f, "SELECT interrupted, handler_site_id IS NOT NULL FROM signal WHERE id = 1",
		"read|1");
	feed_close(&f);
}

TEST(sig_blocked)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, COMM, .comm = "x");
	FEED(&f, SIG_SEND, .signo = SIGUSR2, .target_pid = 10, .target_tid = 10, .group = 1);
	feed_flush(&f, 500);
	EXPECT(&f, SIGNALS, "SIGUSR2|kill|-|1|-|100|queued|-|-");
	feed_at(&f, 600, 10, 10);
	FEED(&f, SIG_DELIVER, .signo = SIGUSR2, .handler = 0, .syscall = (uint64_t)-1);
	feed_end(&f, 1000);
	EXPECT(&f, SIGNALS, "SIGUSR2|kill|-|1|1|100|queued|600|default");
	feed_close(&f);
}

TEST(sig_that_kills)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, COMM, .comm = "x");
	FEED(&f, SIG_SEND, .signo = SIGKILL, .target_pid = 10, .target_tid = 10, .group = 1);
	feed_at(&f, 200, 10, 10);
	FEED(&f, EXIT, .last = 1, .group_status = SIGKILL);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT name, delivered_ns, disposition FROM signal", "SIGKILL|200|default");
	feed_close(&f);
}

TEST(sig_after_another_handler_interrupts_nothing)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 200, 10, 10);
	FEED(&f, SIG_DELIVER, .signo = SIGCHLD, .handler = 0x4000, .syscall = SYS_rt_sigreturn);
	FEED(&f, SIG_DELIVER, .signo = SIGCHLD, .handler = 0x4000, .syscall = SYS_read);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT group_concat(coalesce(interrupted, '-')) FROM signal", "-,read");
	feed_close(&f);
}

TEST(sig_waited_for)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, WAIT_BEGIN, .syscall = 128); /* rt_sigtimedwait */
	feed_at(&f, 150, 10, 12);
	FEED(&f, SIG_SEND, .signo = SIGUSR1, .code = SI_USER, .target_pid = 10, .target_tid = 10,
		.group = 1, .sender = SENDER_TASK);
	feed_at(&f, 200, 10, 10);
	FEED(&f, WAIT_END, .waker_tid = 0);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT delivered_ns, disposition, thread_id FROM signal", "200|wait|1");
	EXPECT(&f, "SELECT reason, start_ns, end_ns FROM wait", "signal|100|200");
	feed_close(&f);
}

/* What is blocked stays pending while sigwait takes what it awaits. */
TEST(sig_other_stays_pending)
{
	const uint64_t awaited = UINT64_C(1) << (SIGUSR1 - 1);
	struct rec_WAIT_BEGIN wait = {.syscall = SYS_rt_sigtimedwait,
		.sigmask = UINT64_C(1) << (SIGUSR2 - 1),
		.words_valid = 40};
	struct feed f;

	memcpy(wait.words, &awaited, sizeof awaited);
	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	feed_send(&f, &wait.head, REC_WAIT_BEGIN, sizeof wait);
	feed_at(&f, 150, 10, 12);
	FEED(&f, SIG_SEND, .signo = SIGUSR2, .target_pid = 10, .target_tid = 10, .group = 1);
	FEED(&f, SIG_SEND, .signo = SIGUSR1, .target_pid = 10, .target_tid = 10, .group = 1);
	feed_at(&f, 200, 10, 10);
	FEED(&f, WAIT_END, .waker_tid = 0);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT name, delivered_ns, disposition FROM signal ORDER BY name",
		"SIGUSR1|200|wait SIGUSR2|-|-");
	EXPECT(&f, "SELECT awaits FROM wait", "512");
	feed_close(&f);
}

TEST(sig_unseen)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, SIG_DELIVER, .signo = 34 + 3, .handler = 1, .syscall = (uint64_t)-1);
	FEED(&f, SIG_DELIVER, .signo = 1000);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT name, sent_ns, result, delivered_ns, disposition FROM signal",
		"SIGRTMIN+3|-|-|100|ignored");
	feed_close(&f);
}

/* Without probes in the kernel the end is all that is seen of it. */
TEST(sig_killed_by_one_unseen)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	feed_fork(&f, 11);
	feed_at(&f, 150, 11, 11);
	FEED(&f, SIG_DELIVER, .signo = SIGSEGV, .code = 1, .syscall = (uint64_t)-1);
	FEED(&f, EXIT, .last = 1, .group_status = SIGSEGV);
	feed_at(&f, 200, 10, 10);
	FEED(&f, EXIT, .last = 1, .group_status = SIGBUS);
	feed_end(&f, 1000);
	EXPECT(&f,
		"SELECT process_id, name, source, sent_ns, delivered_ns, disposition, code FROM signal ORDER BY 1",
		"1|SIGBUS|unknown|-|200|default|- 2|SIGSEGV|kernel|-|150|default|1");
	feed_close(&f);
}

/* The library tells of a wait for signals that it has brought one. */
TEST(sig_waited_for_with_the_library)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, COMM, .comm = "x");
	FEED(&f, SIG_SEND, .signo = SIGUSR2, .target_pid = 10, .target_tid = 10);
	FEED(&f, SIG_SEND, .signo = SIGUSR1, .code = (uint64_t)SI_QUEUE, .target_pid = 10,
		.target_tid = 10, .group = 1);
	f.flags = REC_SHIM;
	FEED(&f, WAIT_BEGIN, .syscall = SYS_rt_sigtimedwait, .reason = WAIT_SIGNAL);
	feed_at(&f, 150, 10, 10);
	FEED(&f, WAIT_END, .waker_tid = 0);
	FEED(&f, SIG_DELIVER, .signo = SIGUSR1, .syscall = SYS_rt_sigtimedwait);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT name, delivered_ns, disposition, interrupted FROM signal ORDER BY name",
		"SIGUSR1|150|wait|- SIGUSR2|-|-|-");
	feed_close(&f);
}

TEST(sig_action)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, SIG_ACTION, .signo = SIGCHLD, .handler = 0x4000, .flags = SA_RESTART);
	FEED(&f, SIG_ACTION, .signo = SIGPIPE, .handler = 1);
	feed_fork(&f, 11);
	feed_at(&f, 20000200, 11, 11);
	FEED(&f, EXEC, .old_tid = 11, .path = "/bin/x");
	feed_at(&f, 20000300, 10, 10);
	FEED(&f, SIG_ACTION, .signo = SIGCHLD, .handler = 0);
	feed_end(&f, 40000000);
	EXPECT(&f,
		"SELECT process_id, signo, disposition, start_ns, end_ns FROM handler ORDER BY process_id, signo",
		"1|13|ignored|100|- 1|17|handler|100|20000300 2|13|ignored|100|- 2|17|handler|100|20000200");
	feed_close(&f);
}

/* What sets a handler and takes it back all the time makes no row for each; one that stays has a row, and so has one that stayed for a while. */
TEST(sig_action_again_and_again)
{
	struct feed f;

	feed_open(&f);
	for (uint64_t i = 0; i < 5000; i++) {
		feed_at(&f, 100 + i * 2000, 10, 10);
		FEED(&f, SIG_ACTION, .signo = SIGINT, .handler = 0x4000);
		feed_at(&f, 1100 + i * 2000, 10, 10);
		FEED(&f, SIG_ACTION, .signo = SIGINT, .handler = 0);
	}
	feed_at(&f, 20000000, 10, 10);
	FEED(&f, SIG_ACTION, .signo = SIGINT, .handler = 0x4000);
	feed_at(&f, 40000000, 10, 10);
	FEED(&f, SIG_ACTION, .signo = SIGINT, .handler = 0);
	FEED(&f, SIG_ACTION, .signo = SIGTERM, .handler = 0x5000);
	feed_end(&f, 60000000);
	EXPECT(&f, "SELECT count(*) FROM handler WHERE start_ns < 20000000", "1000");
	EXPECT(&f,
		"SELECT signo, start_ns, end_ns FROM handler WHERE start_ns >= 20000000 ORDER BY 2",
		"2|20000000|40000000 15|40000000|-");
	feed_close(&f);
}

TEST(timer_again_and_again)
{
	struct feed f;

	feed_open(&f);
	for (uint64_t i = 0; i < 5000; i++) {
		feed_at(&f, 100 + i * 2000, 10, 10);
		FEED(&f, TIMER, .which = TIMER_REAL, .signo = SIGALRM, .value_ns = 5000000000);
	}
	feed_at(&f, 30000000, 10, 10);
	FEED(&f, TIMER, .which = TIMER_REAL, .signo = SIGALRM, .value_ns = 5000000000);
	feed_end(&f, 60000000);
	EXPECT(&f, "SELECT count(*) FROM timer WHERE disarmed_ns < 20000000", "1000");
	EXPECT(&f, "SELECT armed_ns, disarmed_ns FROM timer WHERE armed_ns > 2000000 ORDER BY 1",
		"9998100|30000000 30000000|-");
	feed_close(&f);
}

TEST(timer)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, TIMER, .which = TIMER_REAL, .signo = SIGALRM, .value_ns = 50);
	FEED(&f, TIMER, .which = TIMER_POSIX, .timer_id = 3, .signo = SIGUSR1, .value_ns = 70,
		.interval_ns = 10);
	FEED(&f, TIMER, .which = TIMER_FD, .timer_id = 5, .value_ns = 10000);
	feed_at(&f, 155, 10, 10);
	FEED(&f, SIG_SEND, .signo = SIGALRM, .code = SI_KERNEL, .target_pid = 10, .target_tid = 10,
		.group = 1, .sender = SENDER_TIMER);
	feed_at(&f, 200, 10, 10);
	FEED(&f, TIMER, .which = TIMER_POSIX, .timer_id = 3, .signo = SIGUSR1);
	feed_end(&f, 1000);
	EXPECT(&f,
		"SELECT kind, signo, armed_ns, expires_ns, interval_ns, disarmed_ns FROM timer ORDER BY id",
		"real|14|100|150|0|150 posix|10|100|170|10|200 timerfd|-|100|10100|0|-");
	EXPECT(&f, "SELECT source FROM signal", "timer");
	feed_close(&f);
}

/* The kernel can keep a program of ours from running where it sends; what it delivers then says where it comes from. */
TEST(sig_sending_not_seen)
{
	struct feed f;

	feed_open(&f);
	feed_at(&f, 100, 10, 10);
	FEED(&f, TIMER, .which = TIMER_REAL, .signo = SIGALRM, .value_ns = 50);
	feed_at(&f, 155, 10, 10);
	FEED(&f, SIG_DELIVER, .signo = SIGALRM, .code = SI_KERNEL, .handler = 0x4000);
	FEED(&f, SIG_DELIVER, .signo = SIGINT, .code = SI_KERNEL, .handler = 0x4000);
	FEED(&f, SIG_DELIVER, .signo = SIGSEGV, .code = SI_KERNEL, .handler = 0x4000);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT name, source FROM signal ORDER BY id",
		"SIGALRM|timer SIGINT|tty SIGSEGV|kernel");
	EXPECT(&f, "SELECT disarmed_ns FROM timer", "150");
	feed_close(&f);
}

/* The preload library says nothing of the call, but the thread's wait is open. */
TEST(sig_interrupts_wait)
{
	struct feed f;

	feed_open(&f);
	f.flags = REC_SHIM;
	feed_at(&f, 100, 10, 10);
	FEED(&f, WAIT_BEGIN, .syscall = 0);
	FEED(&f, SIG_DELIVER, .signo = SIGUSR1, .handler = 0x4000, .syscall = (uint64_t)-1);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT interrupted FROM signal", "read");
	feed_close(&f);
}

/* The end of a child wakes both: the wait returns with the child, and SIGCHLD cuts nothing short. */
TEST(sig_chld_does_not_interrupt_wait4)
{
	struct feed f;

	feed_open(&f);
	f.flags = REC_SHIM;
	feed_at(&f, 100, 10, 10);
	FEED(&f, WAIT_BEGIN, .syscall = 61, .arg0 = (uint64_t)-1);
	FEED(&f, SIG_DELIVER, .signo = SIGCHLD, .handler = 0x4000, .syscall = (uint64_t)-1);
	FEED(&f, SIG_DELIVER, .signo = SIGUSR1, .handler = 0x4000, .syscall = (uint64_t)-1);
	feed_end(&f, 1000);
	EXPECT(&f, "SELECT interrupted FROM signal", "- wait4");
	feed_close(&f);
}
