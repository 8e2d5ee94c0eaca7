"""Reads the tree and says where it leaves the shape it is meant to have.

The rooms are the folders of the top level; what may include what is in ROOMS.
Run with a folder, prints each fault as `file:line: fault`, exits 1 if any.
"""

import fnmatch
import pathlib
import re
import sys

FOLDERS = ["actors", "bench", "persistence", "protocol", "tests"]
TOP_LEVEL = [*FOLDERS, "CMakeLists.txt", "README.md", "dev"]
SOURCES = (".hpp", ".cpp")
MAX_LINES = 500
COUNTED = (*SOURCES, ".py", ".proto", ".txt", "")  # "": scripts such as dev

CAF = "caf/"
ASIO = "boost/asio"
BEAST = "boost/beast"
ROCKSDB = "rocksdb/"
SOCKETS = ["sys/socket.h", "sys/epoll.h", "netdb.h", "poll.h"]

# folder: (folders of ours that it may include, libraries that it may not).
# The longest folder that holds a file counts; one without an entry is free.
ROOMS = {
    "protocol": (["protocol"], [CAF, ASIO, BEAST, ROCKSDB, *SOCKETS]),
    "protocol/client": (["protocol"], [CAF, ROCKSDB]),
    "protocol/xmpp": (["protocol"], [CAF, ASIO, ROCKSDB, *SOCKETS]),
    "persistence": (["persistence", "protocol"], [CAF, ASIO, BEAST]),
    "actors": (["actors", "persistence", "protocol"], []),
}

# library: the one folder that may include it.
ONLY_IN = {"expat.h": "protocol/xmpp"}

INCLUDE = re.compile(r"^\s*#\s*include\b\s*(.*)")
NAMED = re.compile(r'^(?:"([^"]+)"|<([^>]+)>)')


def text_of(path):
    return path.read_text(encoding="utf-8")


def ignored_names(root):
    """What .gitignore names at the top: build folders, data."""
    try:
        lines = text_of(root / ".gitignore").split()
    except FileNotFoundError:
        return []
    return [line.strip("/") for line in lines if line.startswith("/")]


def files_of(root):
    """Every file of ours, as a path from the root."""
    for name in TOP_LEVEL:
        top = root / name
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(root)


def room_of(path):
    for folder in path.parents:
        if str(folder) in ROOMS:
            return ROOMS[str(folder)]
    return None


def exists(root, name):
    """protoc makes x.pb.h of x.proto, in the build folder."""
    if name.endswith(".pb.h"):
        name = name[: -len(".pb.h")] + ".proto"
    return (root / name).is_file()


def fault_of_include(root, path, rest):
    """What is wrong with an #include line, or None."""
    match = NAMED.match(rest)
    if not match:
        return "an include must name its file"
    ours, library = match.groups()
    name = ours or library
    top = name.split("/")[0]
    if ours and (top not in FOLDERS or not exists(root, ours)):
        return f'"{ours}" is no file from the repository\'s root'
    if library and top in FOLDERS:
        return f"<{library}> is ours and wants quotes"
    only = ONLY_IN.get(library)
    if only and pathlib.Path(only) not in path.parents:
        return f"<{library}> belongs to {only}/ alone"
    room = room_of(path)
    if not room:
        return None
    may, may_not = room
    if ours and top not in may:
        return f"{path.parts[0]}/ may not include {top}/ (\"{ours}\")"
    for prefix in may_not:
        if library and library.startswith(prefix):
            return f"{path.parent}/ may not include <{library}>"
    return None


def faults_of_includes(root):
    for path in files_of(root):
        if path.suffix not in SOURCES:
            continue
        lines = text_of(root / path).splitlines()
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            fault = match and fault_of_include(root, path, match.group(1))
            if fault:
                yield f"{path}:{number}: {fault}"


def faults_of_top_level(root):
    ignored = ignored_names(root)
    for path in sorted(root.iterdir()):
        name = path.name
        known = name in TOP_LEVEL or name.startswith(".")
        if not known and not any(fnmatch.fnmatch(name, i) for i in ignored):
            yield f"{name}:1: has no place at the top level"
    for name in TOP_LEVEL:
        if not (root / name).exists():
            yield f"{name}:1: is missing at the top level"
    for folder in FOLDERS:
        if not (root / folder / "README.md").is_file():
            yield f"{folder}/README.md:1: every folder of the top has one"


def faults_of_length(root):
    for path in files_of(root):
        if path.suffix not in COUNTED:
            continue
        lines = text_of(root / path).count("\n")
        if lines > MAX_LINES:
            yield f"{path}:{MAX_LINES}: has {lines} lines, {MAX_LINES} are the limit"


def faults_of_commands(root):
    """Every ./dev COMMAND that a README names is there."""
    try:
        dev = text_of(root / "dev")
    except FileNotFoundError:
        return
    commands = re.findall(r"^command_([a-z]+)\(\)", dev, re.MULTILINE)
    for path in files_of(root):
        if path.suffix != ".md":
            continue
        lines = text_of(root / path).splitlines()
        for number, line in enumerate(lines, 1):
            for name in re.findall(r"\./dev ([a-z]+)", line):
                if name not in commands:
                    yield f"{path}:{number}: ./dev has no command '{name}'"


def faults(root):
    for part in (
        faults_of_top_level,
        faults_of_includes,
        faults_of_length,
        faults_of_commands,
    ):
        yield from part(root)


def main():
    found = list(faults(pathlib.Path(sys.argv[1])))
    print("\n".join(found) or "The tree has its shape.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
