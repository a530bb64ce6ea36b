/* path.h - the path of an open file, put together from its directory entries. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#ifndef PROBES_EBPF_PATH_H
#define PROBES_EBPF_PATH_H

#include "probes/ebpf/probe.h"

/*
 * The kernel's own d_path may not be called from a tracepoint. The names are
 * found from the last to the first, so the text grows towards the front of a
 * buffer; it is as wide again as the text may be long, which keeps the
 * verifier content without a proof of how long a name is.
 */
#define PATH_TEXT 256
#define PATH_PARTS 24

struct path_walk {
	struct dentry *dentry;
	struct mount *mount;
	struct dentry *mount_root;
	u32 at; /* begin of the text in the buffer */
	u32 ok;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, char[2 * PATH_TEXT]);
} path_buffer SEC(".maps");

static __always_inline struct mount *mount_of(struct vfsmount *mnt)
{
	return (void *)mnt - bpf_core_field_offset(struct mount, mnt);
}

/* One name, or one step from the root of a mount to the place where it is mounted. */
static __noinline long path_step(u32 index, void *arg)
{
	struct path_walk *w = arg;
	struct dentry *dentry = w->dentry, *parent;
	struct mount *mount = w->mount, *up;
	u32 zero = 0, len, at;
	char *buf;

	buf = bpf_map_lookup_elem(&path_buffer, &zero);
	if (!buf)
		return 1;
	parent = BPF_CORE_READ(dentry, d_parent);
	if (dentry == w->mount_root || dentry == parent) {
		up = BPF_CORE_READ(mount, mnt_parent);
		if (up == mount || dentry != w->mount_root) {
			w->ok = 1;
			return 1;
		}
		w->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		w->mount = up;
		w->mount_root = BPF_CORE_READ(up, mnt.mnt_root);
		return 0;
	}
	len = BPF_CORE_READ(dentry, d_name.len);
	if (len + 1 > w->at || len >= PATH_TEXT)
		return 1;
	at = w->at - len;
	if (at >= PATH_TEXT)
		return 1;
	bpf_probe_read_kernel(buf + at, len & (PATH_TEXT - 1), BPF_CORE_READ(dentry, d_name.name));
	at--;
	buf[at & (PATH_TEXT - 1)] = '/';
	w->at = at;
	w->dentry = parent;
	return 0;
}

WALK_STEP(path_step, SCRATCH_PATH)

/* Finds the path of a file: leaves it in the buffer, from w->at on. */
static __always_inline void path_find(struct file *file, struct path_walk *w)
{
	struct vfsmount *mnt = BPF_CORE_READ(file, f_path.mnt);

	__builtin_memset(w, 0, sizeof *w);
	w->at = PATH_TEXT - 1;
	if (!mnt)
		return;
	w->dentry = BPF_CORE_READ(file, f_path.dentry);
	w->mount = mount_of(mnt);
	w->mount_root = BPF_CORE_READ(mnt, mnt_root);
	WALK(PATH_PARTS * 2, path_step, w);
}

/* Copies the path that was found into text (PATH_TEXT bytes). Returns 1 if it was longer: its front is missing. */
static __always_inline int path_copy(char *text, const struct path_walk *w)
{
	u32 zero = 0;
	char *buf = bpf_map_lookup_elem(&path_buffer, &zero);

	/* Behind the path there are zeros up to the end of the buffer: its second half is never written. */
	text[0] = 0;
	if (buf)
		bpf_probe_read_kernel(text, PATH_TEXT, buf + (w->at & (PATH_TEXT - 1)));
	return !w->ok;
}

#endif
