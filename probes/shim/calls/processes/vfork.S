/* vfork.S - vfork, whose child returns through its caller's frame before the parent does. */
/* SPDX-License-Identifier: MIT */
#include <sys/syscall.h>

#if defined(__x86_64__)
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
#elif defined(__aarch64__)
	/*
	 * The address to return to is in a register that the system call preserves
	 * for both. There is no vfork here: a clone with CLONE_VM, CLONE_VFORK and SIGCHLD.
	 */
	.text
	.globl vfork
	.type vfork, %function
vfork:
	.cfi_startproc
	hint #34 /* bti c */
	stp x29, x30, [sp, #-16]!
	.cfi_def_cfa_offset 16
	.cfi_offset 29, -16
	.cfi_offset 30, -8
	mov x29, sp
	bl shim_vfork_begin
	ldp x29, x30, [sp], #16
	.cfi_restore 29
	.cfi_restore 30
	.cfi_def_cfa_offset 0
	mov x0, #0x4111
	mov x1, #0
	mov x8, #SYS_clone
	svc #0
	b shim_vfork_end
	.cfi_endproc
	.size vfork, . - vfork
#else
#error "vfork is missing for this processor"
#endif
	.section .note.GNU-stack, "", %progbits
