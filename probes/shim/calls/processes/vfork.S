/* vfork.S - vfork, whose child returns through its caller's frame before the parent does. */
/* SPDX-License-Identifier: MIT */
#ifdef __x86_64__
#include <sys/syscall.h>

	/*
	 * The child will overwrite the return address on the shared stack, so
	 * the parent keeps it in a register that the system call preserves.
	 */
	.text
	.globl vfork
	.type vfork, @function
vfork:
	.cfi_startproc
	endbr64
	subq $8, %rsp
	.cfi_adjust_cfa_offset 8
	call shim_vfork_begin
	addq $8, %rsp
	.cfi_adjust_cfa_offset -8
	popq %rdi
	.cfi_adjust_cfa_offset -8
	.cfi_register %rip, %rdi
	movl $SYS_vfork, %eax
	syscall
	pushq %rdi
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rip, 0
	movq %rax, %rdi
	subq $8, %rsp
	.cfi_adjust_cfa_offset 8
	call shim_vfork_end
	addq $8, %rsp
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size vfork, . - vfork
#endif
	.section .note.GNU-stack, "", @progbits
