"""System calls: what a decoder may ask of a Linux kernel, by number on x86-64 and 64-bit Arm; None where there is none.

The numbers are those of Linux's `asm/unistd_64.h` and `asm-generic/unistd.h`; they never change. What is not here does
not exist for the decoder, among it all that is to come.
"""

from __future__ import annotations

ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column below, and AUDIT_ARCH of the kernel

Numbers = tuple[int | None, int | None]

MEMORY: dict[str, Numbers] = {
    "brk": (12, 214),
    "get_mempolicy": (239, 236),
    "madvise": (28, 233),
    "mbind": (237, 235),
    "membarrier": (324, 283),
    "mincore": (27, 232),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "munmap": (11, 215),
}

FILES: dict[str, Numbers] = {  # looked at and read, and written where they are open already
    "access": (21, None),
    "close": (3, 57),
    "close_range": (436, 436),
    "dup": (32, 23),
    "dup3": (292, 24),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "fadvise64": (221, 223),
    "fstat": (5, 80),
    "fstatfs": (138, 44),
    "ftruncate": (77, 46),
    "getcwd": (79, 17),
    "getdents64": (217, 61),
    "lseek": (8, 62),
    "lstat": (6, None),
    "newfstatat": (262, 79),
    "pread64": (17, 67),
    "preadv": (295, 69),
    "pwrite64": (18, 68),
    "pwritev": (296, 70),
    "read": (0, 63),
    "readahead": (187, 213),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "readv": (19, 65),
    "stat": (4, None),
    "statfs": (137, 43),
    "statx": (332, 291),
    "write": (1, 64),
    "writev": (20, 66),
}

THREADS: dict[str, Numbers] = {  # and signals
    "arch_prctl": (158, None),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "futex": (202, 98),
    "getcpu": (309, 168),
    "gettid": (186, 178),
    "restart_syscall": (219, 128),
    "rseq": (334, 293),
    "rt_sigaction": (13, 134),
    "rt_sigpending": (127, 136),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "rt_sigtimedwait": (128, 137),
    "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126),
    "sched_getaffinity": (204, 123),
    "sched_getparam": (143, 121),
    "sched_getscheduler": (145, 120),
    "sched_yield": (24, 124),
    "set_robust_list": (273, 99),
    "set_tid_address": (218, 96),
    "sigaltstack": (131, 132),
}

WAITING: dict[str, Numbers] = {  # and the time
    "clock_getres": (229, 114),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "epoll_create1": (291, 20),
    "epoll_ctl": (233, 21),
    "epoll_pwait": (281, 22),
    "epoll_wait": (232, None),
    "eventfd2": (290, 19),
    "gettimeofday": (96, 169),
    "nanosleep": (35, 101),
    "pipe2": (293, 59),
    "poll": (7, None),
    "ppoll": (271, 73),
    "pselect6": (270, 72),
    "select": (23, None),
    "time": (201, None),
    "times": (100, 153),
}

ITSELF: dict[str, Numbers] = {
    "getegid": (108, 177),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "getrandom": (318, 278),
    "getrlimit": (97, 163),
    "getrusage": (98, 165),
    "getuid": (102, 174),
    "sysinfo": (99, 179),
    "uname": (63, 160),
}

BY_ARGUMENT: dict[str, Numbers] = {  # allowed or not by what is asked, see seccomp.py
    "clone": (56, 220),
    "fcntl": (72, 25),
    "ioctl": (16, 29),
    "open": (2, None),
    "openat": (257, 56),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "tgkill": (234, 131),
}

ALWAYS = MEMORY | FILES | THREADS | WAITING | ITSELF
