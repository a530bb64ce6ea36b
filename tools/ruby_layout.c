/* ruby_layout.c - print where the members of Ruby's structures lie, as one line of ruby/layout.def. */
/* SPDX-License-Identifier: MIT */
/* Compiled against the source of one release: tools/ruby_layout.sh. */
#include <ruby/internal/config.h>
#include <ruby/version.h>

#include <internal/class.h>

#include "vm_core.h"

#include "iseq.h"
#include "ractor_core.h"

#include <stddef.h>
#include <stdio.h>

int main(void)
{
	printf("LAYOUT(%d, %d,", RUBY_API_VERSION_MAJOR, RUBY_API_VERSION_MINOR);
#define MEMBER(name, type, member) printf(" ." #name " = %zu,", offsetof(type, member));
	MEMBER(vm_ractors, rb_vm_t, ractor.set)
#if RUBY_API_VERSION_MINOR < 3
	MEMBER(vm_children, rb_vm_t, waiting_pids)
#else
	printf(" .vm_children = -1,");
#endif
	MEMBER(vm_traps, rb_vm_t, trap_list)
	MEMBER(ractor_node, rb_ractor_t, vmlr_node)
	MEMBER(ractor_threads, rb_ractor_t, threads.set)
	MEMBER(thread_node, rb_thread_t, lt_node)
	MEMBER(thread_self, rb_thread_t, self)
	MEMBER(thread_vm, rb_thread_t, vm)
	MEMBER(thread_ec, rb_thread_t, ec)
	MEMBER(thread_locking, rb_thread_t, locking_mutex)
	MEMBER(thread_keeping, rb_thread_t, keeping_mutexes)
	MEMBER(thread_joiners, rb_thread_t, join_list)
	MEMBER(thread_name, rb_thread_t, name)
	MEMBER(thread_blocking, rb_thread_t, blocking_region_buffer)
#if RUBY_API_VERSION_MINOR >= 3
	MEMBER(thread_native, rb_thread_t, nt)
	MEMBER(native_tid, struct rb_native_thread, tid)
#else
	printf(" .thread_native = -1,");
	MEMBER(native_tid, rb_thread_t, tid)
#endif
	/* The status is a field of two bits in the byte before this member. */
	printf(" .thread_status = %zu,", offsetof(rb_thread_t, priority) - 1);
	MEMBER(ec_stack, rb_execution_context_t, vm_stack)
	MEMBER(ec_stack_size, rb_execution_context_t, vm_stack_size)
	MEMBER(ec_cfp, rb_execution_context_t, cfp)
	MEMBER(cfp_pc, rb_control_frame_t, pc)
	MEMBER(cfp_iseq, rb_control_frame_t, iseq)
	MEMBER(cfp_self, rb_control_frame_t, self)
	printf(" .cfp_size = %zu,", sizeof(rb_control_frame_t));
	MEMBER(iseq_body, rb_iseq_t, body)
	MEMBER(body_encoded, struct rb_iseq_constant_body, iseq_encoded)
	MEMBER(body_size, struct rb_iseq_constant_body, iseq_size)
	MEMBER(body_path, struct rb_iseq_constant_body, location.pathobj)
	MEMBER(body_label, struct rb_iseq_constant_body, location.label)
	MEMBER(body_lines, struct rb_iseq_constant_body, insns_info.body)
	MEMBER(body_n_lines, struct rb_iseq_constant_body, insns_info.size)
	MEMBER(body_index, struct rb_iseq_constant_body, insns_info.succ_index_table)
	MEMBER(body_locals, struct rb_iseq_constant_body, local_table)
	MEMBER(body_n_locals, struct rb_iseq_constant_body, local_table_size)
	MEMBER(body_parent, struct rb_iseq_constant_body, parent_iseq)
	MEMBER(cfp_env, rb_control_frame_t, ep)
	MEMBER(class_constants, rb_classext_t, const_tbl)
#if RUBY_API_VERSION_MINOR >= 3
	MEMBER(class_extension, struct RClass_and_rb_classext_t, classext)
	MEMBER(shape_edge, rb_shape_t, edge_name)
	MEMBER(shape_next, rb_shape_t, next_iv_index)
	MEMBER(shape_type, rb_shape_t, type)
	MEMBER(shape_parent, rb_shape_t, parent_id)
	printf(" .shape_size = %zu,", sizeof(rb_shape_t));
#else
	/* A pointer to it. */
	MEMBER(class_pointer, struct RClass, ptr)
	printf(" .shape_size = -1,");
#endif
	printf(" .line_size = %zu)\n", sizeof(struct iseq_insn_info_entry));
	return 0;
}
