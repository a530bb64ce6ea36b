/* io.bpf.c - reads and writes of pipes, FIFOs and socketpairs. */
/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
#include "probes/calls.h"
#include "probes/io.h"

/* read, write, readv, writev, sendto, recvfrom */
HANDLER_EXIT(exit_io)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct slot *slot = slot_find(task);
	struct io io = {};

	if (!slot || io_is_broken_off(ret))
		return 0;
	io.fd = REG_ARG0(regs);
	io.result = ret;
	io.base = REG_ARG1(regs);
	io.requested = REG_ARG2(regs);
	switch (slot->call) {
	case CALL_READ:
		io.op = IO_READ;
		break;
	case CALL_WRITE:
		io.op = IO_WRITE;
		break;
	case CALL_SEND:
		io.op = IO_SEND;
		break;
	case CALL_RECV:
		io.op = IO_RECV;
		break;
	default:
		io.op = slot->call == CALL_READV ? IO_READV : IO_WRITEV;
		io.iov = io.base;
		io.iov_n = io.requested;
		io.requested = 0;
		break;
	}
	if (io.iov) {
		struct file *file = file_of_fd(task, io.fd);
		u32 type = file ? file_type(file) : 0;

		if (type != S_IFIFO && type != S_IFSOCK)
			return 0;
		io.requested = iov_sum(io.iov, io.iov_n);
	}
	io_emit(task, slot, &io);
	return 0;
}

/* splice, tee, vmsplice, sendfile: up to two pipes, and no bytes that pass through the caller's memory */
HANDLER_EXIT(exit_splice)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct slot *slot = slot_find(task);
	struct io in = {}, out = {};

	if (!slot || io_is_broken_off(ret))
		return 0;
	in.result = out.result = ret;
	in.fd = out.fd = -1;
	switch (slot->call) {
	case CALL_SPLICE:
		in.fd = REG_ARG0(regs);
		out.fd = REG_ARG2(regs);
		in.requested = REG_ARG4(regs);
		in.op = IO_SPLICE_IN;
		out.op = IO_SPLICE_OUT;
		break;
	case CALL_TEE:
		in.fd = REG_ARG0(regs);
		out.fd = REG_ARG1(regs);
		in.requested = REG_ARG2(regs);
		in.op = IO_TEE_IN;
		out.op = IO_TEE_OUT;
		break;
	case CALL_SENDFILE:
		out.fd = REG_ARG0(regs);
		in.requested = REG_ARG3(regs);
		out.op = IO_SENDFILE;
		break;
	default:
		out.fd = REG_ARG0(regs);
		in.requested = iov_sum(REG_ARG1(regs), REG_ARG2(regs));
		out.op = IO_VMSPLICE;
		out.iov = REG_ARG1(regs);
		out.iov_n = REG_ARG2(regs);
		break;
	}
	out.requested = in.requested;
	if (in.fd >= 0)
		io_emit(task, slot, &in);
	if (out.fd >= 0)
		io_emit(task, slot, &out);
	return 0;
}
