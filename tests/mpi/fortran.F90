! fortran.F90 - what goes wrong in MPI programs in Fortran, and how it is done right: fortran NAME.
! SPDX-License-Identifier: MIT
!
! A case "x" has a healthy twin "x-right". Built by the tests with each MPI library's own mpif90, and with the module mpi or, -DF08, mpi_f08.
program cases
#ifdef F08
	use mpi_f08
	implicit none
	type(MPI_Comm) :: part
	type(MPI_Request) :: requests(2)
	type(MPI_Status) :: found
#else
	use mpi
	implicit none
	integer :: part
	integer :: requests(2)
	integer :: found(MPI_STATUS_SIZE)
#endif
	integer :: me, n, ierr
	integer :: mine(4), got(4)
	character(32) :: name

	call get_command_argument(1, name)
	call MPI_Init(ierr)
	call MPI_Comm_rank(MPI_COMM_WORLD, me, ierr)
	call MPI_Comm_size(MPI_COMM_WORLD, n, ierr)
	mine = me
	select case (name)
	case ('recv')
		call recv_first()
	case ('recv-right')
		call odd_sends_first()
	case ('wait')
		call wait_for_both()
	case ('wait-right')
		call wait_for_both_sent()
	case ('missing')
		call without_rank_0()
	case ('missing-right')
		call with_all()
	end select
	call MPI_Finalize(ierr)
	if (me == 0) print '(a)', 'done'

contains
	integer function left()
		left = modulo(me - 1, n)
	end function

	integer function right()
		right = modulo(me + 1, n)
	end function

	! Each receives first.
	subroutine recv_first()
		call MPI_Recv(got, 4, MPI_INTEGER, left(), 7, MPI_COMM_WORLD, MPI_STATUS_IGNORE, ierr)
		call MPI_Send(mine, 4, MPI_INTEGER, right(), 7, MPI_COMM_WORLD, ierr)
	end subroutine

	subroutine odd_sends_first()
		integer :: i

		do i = 1, 100
			if (modulo(me, 2) == 1) call MPI_Send(mine, 4, MPI_INTEGER, right(), 7, MPI_COMM_WORLD, ierr)
			call MPI_Recv(got, 4, MPI_INTEGER, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, found, ierr)
			if (got(1) /= left()) call MPI_Abort(MPI_COMM_WORLD, 3, ierr)
			if (modulo(me, 2) == 0) call MPI_Send(mine, 4, MPI_INTEGER, right(), 7, MPI_COMM_WORLD, ierr)
			! No rank is a round ahead: what is received from anybody would be of two.
			call MPI_Barrier(MPI_COMM_WORLD, ierr)
		end do
	end subroutine

	! Nobody sends with the second tag.
	subroutine wait_for_both()
		call MPI_Irecv(got(1:1), 1, MPI_INTEGER, left(), 1, MPI_COMM_WORLD, requests(1), ierr)
		call MPI_Irecv(got(2:2), 1, MPI_INTEGER, left(), 2, MPI_COMM_WORLD, requests(2), ierr)
		call MPI_Send(mine, 1, MPI_INTEGER, right(), 1, MPI_COMM_WORLD, ierr)
		call MPI_Waitall(2, requests, MPI_STATUSES_IGNORE, ierr)
	end subroutine

	subroutine wait_for_both_sent()
		integer :: i, which

		do i = 1, 100
			call MPI_Irecv(got, 1, MPI_INTEGER, left(), 1, MPI_COMM_WORLD, requests(1), ierr)
			call MPI_Isend(mine, 1, MPI_INTEGER, right(), 1, MPI_COMM_WORLD, requests(2), ierr)
			if (modulo(i, 2) == 0) call MPI_Waitall(2, requests, MPI_STATUSES_IGNORE, ierr)
			if (modulo(i, 2) == 0) cycle
			call MPI_Waitany(2, requests, which, MPI_STATUS_IGNORE, ierr)
			call MPI_Waitany(2, requests, which, MPI_STATUS_IGNORE, ierr)
		end do
	end subroutine

	! On a communicator of its own.
	subroutine without_rank_0()
		call MPI_Comm_dup(MPI_COMM_WORLD, part, ierr)
		call MPI_Comm_set_name(part, 'the copy', ierr)
		if (me /= 0) call MPI_Barrier(part, ierr)
		if (me == 0) call MPI_Recv(got, 4, MPI_INTEGER, 1, 7, part, MPI_STATUS_IGNORE, ierr)
	end subroutine

	subroutine with_all()
		integer :: i

		call MPI_Comm_split(MPI_COMM_WORLD, modulo(me, 2), me, part, ierr)
		do i = 1, 100
			call MPI_Bcast(mine, 4, MPI_INTEGER, modulo(i, 2), part, ierr)
			call MPI_Allreduce(MPI_IN_PLACE, mine, 4, MPI_INTEGER, MPI_MAX, part, ierr)
			call MPI_Reduce(mine, got, 4, MPI_INTEGER, MPI_SUM, 0, part, ierr)
			call MPI_Barrier(part, ierr)
		end do
		call MPI_Comm_free(part, ierr)
	end subroutine
end program
