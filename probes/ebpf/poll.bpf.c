/* poll.bpf.c - threads that block in poll, select, epoll, wait or open: what they wait for. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/ebpf/waits.h"

#define POLLIN 1
#define POLLPRI 2
#define POLLOUT 4
#define ITEMS_MAX 512
#define SELECT_MAX 1024
#define EPOLL_STEPS 2048

/* A set of descriptors that is gone through, and the record that is being filled with it. */
struct poll_walk {
	u64 fds;     /* poll: array of the target */
	u64 sets[3]; /* select: words of the three bitmaps in hand */
	u64 addr[3]; /* select: the bitmaps in the target */
	u64 node;    /* epoll: struct rb_node in hand */
	u64 from;    /* epoll: the one before it */
	u32 n;
	u32 pid;
	u32 tid;
	u32 pad;
	struct rec_poll_item item;
	struct object obj;
};

static __always_inline void item_fill(struct rec_poll_item *item, const struct object *o)
{
	item->file_kind = o->kind;
	item->dev = o->dev;
	item->peer = o->peer;
	item->inode = o->inode;
	item->inode2 = o->inode2;
}

/* Items that wait for a record of their own kind to be full. Nothing else runs on the processor meanwhile. */
struct poll_items {
	struct rec_poll_item items[8];
	u64 n;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct poll_items);
} poll_items SEC(".maps");

_Static_assert(sizeof(((struct rec_MORE *)0)->data) == sizeof(((struct poll_items *)0)->items),
	"a record holds eight items");

static __always_inline struct poll_items *items_get(void)
{
	u32 first = 0;

	return bpf_map_lookup_elem(&poll_items, &first);
}

/* Sends what has been collected. */
static __always_inline void items_flush(u32 pid, u32 tid, bool cut)
{
	struct poll_items *p = items_get();
	struct rec_MORE *rec;

	if (!p || (!p->n && !cut))
		return;
	rec = emit_begin(REC_MORE, sizeof *rec, pid, tid);
	if (!rec)
		return;
	rec->what = MORE_POLL;
	rec->len = p->n * sizeof p->items[0];
	rec->flags = cut ? MORE_CUT : 0;
	__builtin_memcpy(rec->data, p->items, sizeof rec->data);
	p->n = 0;
	emit_end(rec);
}

static __always_inline int item_emit(struct poll_walk *w)
{
	struct poll_items *p = items_get();
	u64 n;

	if (!p)
		return 1;
	n = p->n;
	asm volatile("%0 &= 7" : "+r"(n)); /* for the verifier */
	p->items[n] = w->item;
	p->n = n + 1;
	if (n == 7)
		items_flush(w->pid, w->tid, false);
	return 0;
}

static __always_inline void items_start(struct poll_walk *w, struct slot *slot)
{
	struct poll_items *p = items_get();

	if (p)
		p->n = 0;
	__builtin_memset(w, 0, sizeof *w);
	w->pid = slot->pid;
	w->tid = slot->tid;
}

static __always_inline int item_of_fd(struct poll_walk *w, u32 fd, u32 events)
{
	struct file *file = file_of_fd(task_current(), fd);

	__builtin_memset(&w->item, 0, sizeof w->item);
	w->item.fd = fd;
	w->item.events = events;
	if (file) {
		file_object((u64)file, &w->obj);
		item_fill(&w->item, &w->obj);
	}
	return item_emit(w);
}

/* struct pollfd of the target. */
struct user_pollfd {
	s32 fd;
	s16 events;
	s16 revents;
};

static __always_inline long poll_step(u32 index, void *arg)
{
	struct poll_walk *w = arg;
	struct user_pollfd p = {};

	if (index >= w->n || bpf_probe_read_user(&p, sizeof p, (void *)(w->fds + index * 8ull)))
		return 1;
	if (p.fd < 0)
		return 0;
	return item_of_fd(w, p.fd, (u16)p.events);
}

WALK_STEP_APART(poll_step, SCRATCH_POLL)

/* poll, ppoll */
HANDLER_WAIT(wait_poll)
{
	WALK_STATE_APART(struct poll_walk, walk, SCRATCH_POLL);
	struct wait w;

	if (!walk)
		return 0;
	wait_start(&w, task, slot);
	w.timed = slot->call == CALL_POLL ? (s32)w.args[2] >= 0 : w.args[2] != 0;
	items_start(walk, slot);
	walk->fds = w.args[0];
	walk->n = w.args[1];
	WALK_APART(ITEMS_MAX, poll_step, walk);
	items_flush(slot->pid, slot->tid, walk->n > ITEMS_MAX);
	wait_done(&w, task, slot);
	return 0;
}

static __always_inline long select_step(u32 index, void *arg)
{
	struct poll_walk *w = arg;
	u32 bit = index & 63, events;

	if (index >= w->n)
		return 1;
	if (!bit) {
		for (u32 i = 0; i < 3; i++) {
			w->sets[i] = 0;
			if (w->addr[i])
				bpf_probe_read_user(
					&w->sets[i], 8, (void *)(w->addr[i] + index / 64 * 8ull));
		}
	}
	events = (w->sets[0] >> bit & 1 ? POLLIN : 0) | (w->sets[1] >> bit & 1 ? POLLOUT : 0) |
		 (w->sets[2] >> bit & 1 ? POLLPRI : 0);
	return events ? item_of_fd(w, index, events) : 0;
}

WALK_STEP_APART(select_step, SCRATCH_POLL)

/* select, pselect6 */
HANDLER_WAIT(wait_select)
{
	WALK_STATE_APART(struct poll_walk, walk, SCRATCH_POLL);
	struct wait w;

	if (!walk)
		return 0;
	wait_start(&w, task, slot);
	w.timed = w.args[4] != 0;
	items_start(walk, slot);
	walk->n = w.args[0];
	walk->addr[0] = w.args[1];
	walk->addr[1] = w.args[2];
	walk->addr[2] = w.args[3];
	WALK_APART(SELECT_MAX, select_step, walk);
	items_flush(slot->pid, slot->tid, walk->n > SELECT_MAX);
	wait_done(&w, task, slot);
	return 0;
}

/* One step through the red-black tree of an epoll set, parents after both their children. */
static __noinline long epoll_step(u32 index, void *arg)
{
	struct poll_walk *w = arg;
	u64 node = w->node, left, right, parent, file;
	struct epitem *item;

	if (!node)
		return 1;
	left = ADDRESS_IN(node, struct rb_node, rb_left);
	right = ADDRESS_IN(node, struct rb_node, rb_right);
	parent = ADDRESS_IN(node, struct rb_node, __rb_parent_color) & ~3ul;
	if (left && w->from == parent) {
		w->from = node;
		w->node = left;
		return 0;
	}
	if (right && w->from != right) {
		w->from = node;
		w->node = right;
		return 0;
	}
	w->from = node;
	w->node = parent;
	item = TYPED(struct epitem, epitem, node);
	file = ADDRESS_IN(node, struct epitem, ffd.file);
	__builtin_memset(&w->item, 0, sizeof w->item);
	w->item.fd = GET(item, ffd.fd);
	w->item.events = GET(item, event.events);
	if (file) {
		file_object(file, &w->obj);
		item_fill(&w->item, &w->obj);
	}
	return item_emit(w);
}

WALK_STEP_APART(epoll_step, SCRATCH_POLL)

/* epoll_wait, epoll_pwait, epoll_pwait2 */
HANDLER_WAIT(wait_epoll)
{
	WALK_STATE_APART(struct poll_walk, walk, SCRATCH_POLL);
	struct eventpoll *ep;
	struct file *file;
	struct wait w;

	if (!walk)
		return 0;
	wait_start(&w, task, slot);
	w.timed = slot->call == CALL_EPOLL_PWAIT2 ? w.args[3] != 0 : (s32)w.args[3] >= 0;
	file = file_of_fd(task, w.args[0]);
	if (!file)
		goto out;
	file_object((u64)file, &w.obj);
	if (w.obj.kind != FILE_EPOLL)
		goto out;
	ep = BPF_CORE_READ(file, private_data);
	items_start(walk, slot);
	walk->node = (u64)BPF_CORE_READ(ep, rbr.rb_root.rb_node);
	walk->from = zero;
	WALK_APART(STEPS(EPOLL_STEPS, EPOLL_STEPS / 2), epoll_step, walk);
	items_flush(slot->pid, slot->tid, walk->node != 0);
out:
	wait_done(&w, task, slot);
	return 0;
}

/*
 * open: an interruptible sleep is that of a FIFO whose other side nobody has
 * opened yet. The file is not in the table of descriptors, but the path walk
 * that found it is still on its way.
 */
HANDLER_WAIT(wait_open)
{
	struct nameidata *nd;
	struct inode *inode;
	struct rec_MORE *rec;
	struct wait w;
	long n;

	wait_start(&w, task, slot);
	nd = BPF_CORE_READ(task, nameidata);
	inode = nd ? BPF_CORE_READ(nd, path.dentry, d_inode) : NULL;
	if (!inode || (BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFIFO ||
		!(w.state & TASK_INTERRUPTIBLE))
		goto out;
	w.reason = WAIT_FIFO_OPEN;
	w.obj.kind = FILE_FIFO;
	w.obj.inode = BPF_CORE_READ(inode, i_ino);
	w.obj.dev = dev_encode(BPF_CORE_READ(inode, i_sb, s_dev));
	rec = EMIT_BEGIN(MORE, slot);
	if (!rec)
		goto out;
	rec->what = MORE_PATH;
	rec->flags = 0;
	__builtin_memset(rec->data, 0, sizeof rec->data);
	n = bpf_probe_read_user_str(rec->data, sizeof rec->data,
		(void *)(slot->call == CALL_OPEN ? w.args[0] : w.args[1]));
	rec->len = n > 0 ? n - 1 : 0;
	if (n < 0)
		rec->head.flags |= REC_UNREAD;
	EMIT_END(rec);
out:
	wait_done(&w, task, slot);
	return 0;
}

/* connect to a Unix socket blocks where the queue of the one that listens is full: it is told by its address. */
HANDLER_WAIT(wait_connect)
{
	struct rec_MORE *rec;
	struct file *file;
	struct wait w;
	u16 family = 0;
	u64 len;

	wait_start(&w, task, slot);
	file = file_of_fd(task, w.args[0]);
	if (file)
		file_object((u64)file, &w.obj);
	w.timed = (w.obj.timed & END_WRITE) != 0;
	len = w.args[2];
	asm volatile("" : "+r"(len)); /* for the verifier */
	if (bpf_probe_read_user(&family, sizeof family, (void *)w.args[1]) || family != AF_UNIX ||
		len < sizeof family || len > 110)
		goto out;
	rec = EMIT_BEGIN(MORE, slot);
	if (!rec)
		goto out;
	rec->what = MORE_PATH;
	rec->flags = 0;
	rec->len = len;
	__builtin_memset(rec->data, 0, sizeof rec->data);
	if (bpf_probe_read_user(rec->data, len, (void *)w.args[1]))
		rec->len = 0;
	EMIT_END(rec);
out:
	wait_done(&w, task, slot);
	return 0;
}

#define P_PID 1
#define P_PIDFD 3

/* wait4, waitid */
HANDLER_WAIT(wait_child)
{
	struct file *file;
	struct wait w;
	u32 pid = 0;

	wait_start(&w, task, slot);
	w.reason = WAIT_CHILD;
	if (slot->call == CALL_WAIT4) {
		pid = (s32)w.args[0] > 0 ? w.args[0] : 0;
	} else if (w.args[0] == P_PID) {
		pid = w.args[1];
	} else if (w.args[0] == P_PIDFD) {
		file = file_of_fd(task, w.args[1]);
		if (file)
			file_object((u64)file, &w.obj);
	}
	if (pid)
		w.obj.peer = number_ours(task, pid);
	wait_done(&w, task, slot);
	return 0;
}

/* In place of all those above. */
SEC("tp_btf/sched_switch")
int BPF_PROG(wait_any, bool preempt, struct task_struct *prev, struct task_struct *next)
{
#ifdef EDITION_CASTS
	struct slot *slot = slot_get(prev);

	if (!slot)
		return 0;
	switch (slot->handler) {
#define OF_WAIT(handler)                                                                           \
	case HANDLE_##handler:                                                                     \
		handler##_part(slot);                                                              \
		break;
#include "schema/calls.def"
	}
#endif
	return 0;
}
