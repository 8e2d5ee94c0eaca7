"""Runs a command under what a systemd unit takes from it, as far as this can be
done without systemd: read-only files but for one folder, another user without
capabilities, the unit's system calls, address families and memory protection.

    sandbox.py UNIT USER FOLDER COMMAND …
"""

import ctypes
import functools
import os
import pwd
import re
import shutil
import struct
import subprocess
import sys

# From Linux' headers.
CLONE_NEWNS = 0x00020000
MS_RDONLY, MS_REMOUNT, MS_BIND = 1, 32, 4096
MS_REC, MS_PRIVATE = 16384, 1 << 18
PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 22, 24, 38
SECCOMP_MODE_FILTER = 2
AUDIT_ARCH_X86_64 = 0xC000003E
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97
PROT_WRITE, PROT_EXEC, SHM_EXEC = 2, 4, 0o100000
NUMBERS = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"

libc = ctypes.CDLL(None, use_errno=True)


def checked(result, what):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


# ---- what the unit says ------------------------------------------------------


def settings(unit):
    """Name and value of each line, in order."""
    with open(unit, encoding="utf-8") as file:
        return re.findall(r"^([A-Za-z]+)=(.*)$", file.read(), re.MULTILINE)


def value(unit, name):
    """The last one."""
    return [v for n, v in settings(unit) if n == name][-1]


def groups_of_calls():
    """systemd's sets, with the names in each; a name may be a set."""
    text = subprocess.run(
        ["systemd-analyze", "syscall-filter", "--no-pager"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found, current = {}, None
    for line in text.splitlines():
        if line.startswith("@"):
            current = found.setdefault(line.strip(), [])
        elif current is not None and line.startswith("    "):
            name = line.strip()
            if name and not name.startswith("#"):
                current.append(name)
        else:
            current = None
    return found


def allowed_calls(unit):
    """By systemd's rule: the first line begins the list, `~` takes away."""
    groups = groups_of_calls()

    def expand(name):
        if not name.startswith("@"):
            return {name}
        return set().union(*map(expand, groups[name]))

    allowed = expand("@default")
    for name, words in settings(unit):
        if name == "SystemCallFilter":
            those = set().union(*map(expand, words.lstrip("~").split()))
            if words.startswith("~"):
                allowed -= those
            else:
                allowed |= those
    return allowed


# ---- the filter --------------------------------------------------------------


@functools.cache
def call_numbers():
    with open(NUMBERS, encoding="ascii") as file:
        rows = re.findall(r"#define __NR_(\w+) (\d+)", file.read())
    return {name: int(number) for name, number in rows}


LOAD, JEQ, JSET, AND, RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
ARCH_AT, NUMBER_AT = 4, 0
FIRST_ARGUMENT_AT, THIRD_ARGUMENT_AT = 16, 32


def instruction(code, k, if_true=0, if_false=0):
    return struct.pack("HBBI", code, if_true, if_false, k)


def program(unit):
    """As systemd would make it: an errno for whatever is not allowed."""
    number = call_numbers()
    families = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}
    mine = [families[x] for x in value(unit, "RestrictAddressFamilies").split()]

    def when(call, *body):
        """Runs the body for this call; it begins with the number loaded, and
        what it does not return from is judged by name."""
        return [
            instruction(JEQ, number[call], 0, len(body) + 1),
            *body,
            instruction(LOAD, NUMBER_AT),
        ]

    def refuse(mask, at=THIRD_ARGUMENT_AT):
        """All bits of the mask in that argument."""
        return [
            instruction(LOAD, at),
            instruction(AND, mask),
            instruction(JEQ, mask, 0, 1),
            instruction(RETURN, ERRNO | EPERM),
        ]

    code = [
        instruction(LOAD, ARCH_AT),
        instruction(JEQ, AUDIT_ARCH_X86_64, 1, 0),
        instruction(RETURN, KILL),
        instruction(LOAD, NUMBER_AT),
        *when("clone3", instruction(RETURN, ERRNO | ENOSYS)),
        *when("unshare", instruction(RETURN, ERRNO | EPERM)),
        *when(
            "socket",
            instruction(LOAD, FIRST_ARGUMENT_AT),
            *(
                instruction(JEQ, x, len(mine) - i, 0)
                for i, x in enumerate(mine)
            ),
            instruction(RETURN, ERRNO | EAFNOSUPPORT),
        ),
    ]
    if value(unit, "MemoryDenyWriteExecute") == "yes":
        code += when("mmap", *refuse(PROT_WRITE | PROT_EXEC))
        code += when("mprotect", *refuse(PROT_EXEC))
        code += when("pkey_mprotect", *refuse(PROT_EXEC))
        code += when("shmat", *refuse(SHM_EXEC))
    for name in sorted(allowed_calls(unit)):
        if name in number:
            code.append(instruction(JEQ, number[name], 0, 1))
            code.append(instruction(RETURN, ALLOW))
    code.append(instruction(RETURN, ERRNO | EPERM))
    return b"".join(code)


# ---- becoming so -------------------------------------------------------------


def mount(source, where, flags):
    source = source and source.encode()
    done = libc.mount(source, where.encode(), None, flags, None)
    checked(done, f"mount {where}")


def unescape(path):
    return re.sub(r"\\([0-7]{3})", lambda x: chr(int(x[1], 8)), path)


def leave_one_folder(folder):
    """Everything else cannot be written to."""
    checked(libc.unshare(CLONE_NEWNS), "unshare")
    mount(None, "/", MS_REC | MS_PRIVATE)
    mount(folder, folder, MS_BIND)
    flag = {"ro": 1, "nosuid": 2, "nodev": 4, "noexec": 8, "noatime": 1024}
    flag.update(nodiratime=2048, relatime=1 << 21)
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        rows = [line.split() for line in file]
    for row in rows:
        where = unescape(row[4])
        if where == folder or where.startswith("/proc/"):
            continue
        kept = sum(flag.get(x, 0) for x in row[5].split(","))
        try:
            mount(None, where, kept | MS_BIND | MS_REMOUNT | MS_RDONLY)
        except FileNotFoundError:
            pass  # another one lies over it


def give_up(user):
    """All privileges, for good."""
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as file:
        last = int(file.read())
    for capability in range(last + 1):
        done = libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
        checked(done, "bounding set")
    who = pwd.getpwnam(user)
    os.setgroups([])
    os.setresgid(who.pw_gid, who.pw_gid, who.pw_gid)
    os.setresuid(who.pw_uid, who.pw_uid, who.pw_uid)
    checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")


def install(filter_):
    class Program(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_char_p)]

    what = Program(len(filter_) // 8, filter_)
    at = ctypes.byref(what)
    done = libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, at, 0, 0)
    checked(done, "seccomp")


def why_not():
    """Why this machine cannot do it; empty if it can."""
    if os.geteuid() != 0:
        return "only root can take files from a process"
    if os.uname().machine != "x86_64" or not os.path.exists(NUMBERS):
        return "the filter is made for x86-64, with Linux' headers"
    if not shutil.which("systemd-analyze"):
        return "systemd-analyze is not here (apt install systemd)"
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "--bind", "/tmp", "/tmp"],
        capture_output=True,
    )
    return "mounting is not permitted here" if tried.returncode != 0 else ""


if __name__ == "__main__":
    unit_file, as_user, data, *command = sys.argv[1:]
    compiled = program(unit_file)
    leave_one_folder(data)
    give_up(as_user)
    os.umask(int(value(unit_file, "UMask"), 8))
    install(compiled)
    os.execv(command[0], command)
