/* kernel.h - the few kernel structures that the probes read. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#ifndef PROBES_EBPF_KERNEL_H
#define PROBES_EBPF_KERNEL_H

/*
 * Only the members that are used are declared; their places are found in the
 * running kernel's BTF when the programs are loaded (CO-RE). A member that not
 * every kernel has is read behind bpf_core_field_exists. Where a member was
 * renamed, a second declaration with the suffix ___name carries the other name.
 */
#include "probes/ebpf/kernel/arch.h"

/* Values of the kernel's interface; <linux/bpf.h> cannot be included without the headers of a C library for BPF. */
#define BPF_MAP_TYPE_HASH 1
#define BPF_MAP_TYPE_ARRAY 2
#define BPF_MAP_TYPE_PROG_ARRAY 3
#define BPF_MAP_TYPE_PERCPU_ARRAY 6
#define BPF_MAP_TYPE_LRU_HASH 9
#define BPF_MAP_TYPE_RINGBUF 27
#define BPF_MAP_TYPE_TASK_STORAGE 29

#define BPF_ANY 0ULL
#define BPF_NOEXIST 1ULL
#define BPF_F_NO_PREALLOC 1U
#define BPF_LOCAL_STORAGE_GET_F_CREATE 1ULL
#define BPF_RB_NO_WAKEUP 1ULL
#define BPF_RB_FORCE_WAKEUP 2ULL
#define BPF_RB_AVAIL_DATA 0ULL

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	unsigned long sig[1];
} sigset_t;

struct pid_namespace;

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct qstr {
	u32 len;
	const unsigned char *name;
};

struct super_block {
	u32 s_dev;
	unsigned long s_magic;
};

struct inode {
	u16 i_mode;
	struct super_block *i_sb;
	unsigned long i_ino;
	u32 i_rdev;
	s64 i_size;
	void *i_private;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	u32 f_mode;
	u32 f_flags;
	void *private_data;
	struct inode *f_inode;
	struct path f_path;
	s64 f_pos;
};

/* Until 6.12. */
struct file___old {
	struct {
		long counter;
	} f_count;
};

/* From 6.13 on: counts from 0. */
struct file___new {
	struct {
		struct {
			long counter;
		} refcnt;
	} f_ref;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
	unsigned long *close_on_exec;
	unsigned long *open_fds;
};

struct files_struct {
	struct fdtable *fdt;
};

struct nameidata {
	struct path path;
};

struct in6_addr {
	u32 words[4];
};

struct ns_common {
	u32 inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	u32 skc_daddr;
	u32 skc_rcv_saddr;
	u16 skc_dport;
	u16 skc_num;
	u16 skc_family;
	u8 skc_state;
	u8 skc_reuseport : 1;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct socket;

struct sock {
	struct sock_common __sk_common;
	u16 sk_type;
	u16 sk_protocol;
	long sk_rcvtimeo;
	long sk_sndtimeo;
	struct socket *sk_socket;
};

struct inet_connection_sock {
	u32 icsk_user_timeout;
};

struct sockaddr_un {
	u16 sun_family;
};

struct unix_address {
	int len;
	struct sockaddr_un name[];
};

struct unix_sock {
	struct sock sk;
	struct unix_address *addr;
	struct sock *peer;
};

struct socket {
	struct file *file;
	struct sock *sk;
};

struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};

struct rb_node {
	unsigned long __rb_parent_color;
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
};

struct eventpoll {
	struct rb_root_cached rbr;
};

struct epoll_filefd {
	struct file *file;
	int fd;
} __attribute__((packed));

struct epoll_event {
	u32 events;
	u64 data;
} __attribute__((packed));

struct epitem {
	struct rb_node rbn;
	struct epoll_filefd ffd;
	struct epoll_event event;
};

struct sigaction {
	void *sa_handler;
	unsigned long sa_flags;
	sigset_t sa_mask;
};

struct k_sigaction {
	struct sigaction sa;
};

struct sighand_struct {
	struct k_sigaction action[64];
};

struct kernel_siginfo {
	int si_signo;
	int si_errno;
	int si_code;
};

struct task_struct;

struct signal_struct {
	atomic_t live;
	int group_exit_code;
	unsigned int flags;
	struct task_struct *group_exec_task;
};

/* Called group_exec_task from 5.17 on. */
struct signal_struct___old {
	struct task_struct *group_exit_task;
};

struct mm_struct {
	unsigned long start_code;
	unsigned long end_code;
	unsigned long arg_start;
	unsigned long arg_end;
	struct file *exe_file;
	struct rb_root mm_rb;
};

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	unsigned long vm_flags;
	unsigned long vm_pgoff;
	struct file *vm_file;
	struct rb_node vm_rb;
};

struct linux_binprm {
	unsigned int secureexec : 1;
	struct file *file;
	const char *filename;
};

struct fs_struct {
	struct path root;
	struct path pwd;
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int __state;
	void *stack;
	unsigned int flags;
	struct mm_struct *mm;
	int exit_code;
	int exit_signal;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	int *clear_child_tid;
	u64 start_time;
	char comm[16];
	struct nameidata *nameidata;
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	sigset_t blocked;
	void *bpf_storage;
	void *io_uring;
};

/* Called __state from 5.14 on. */
struct task_struct___old {
	long state;
};

struct bpf_iter_meta {
	void *seq;
	u64 session_id;
	u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

#endif
