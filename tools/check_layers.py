#!/usr/bin/python3
"""Refuses includes against the arrows of ARCHITECTURE.md.

  src/base                 includes only src/base
  ae, protocol, storage    include src/base and themselves
  src                      includes all of these
  tests, tools             include anything

Quoted includes start at the root of the tree ("src/base/check.h") and name a file that is there;
and no chain of includes inside a folder comes back to where it began (`table_impl.h`, the bodies
of the templates of `table.h`, counts as a part of it). Prints one line per fault,
`path:line: what`; the exit status is 1 when there are any.
"""

import pathlib
import re
import sys

ARROWS = {
    "src/base": {"src/base"},
    "ae": {"ae", "src/base"},
    "protocol": {"protocol", "src/base"},
    "storage": {"storage", "src/base"},
    "src": {"src", "src/base", "ae", "protocol", "storage"},
}
FREE = ("tests", "tools")  # may include everything
INCLUDE = re.compile(r'\s*#\s*include\s+("([^"]*)"|<([^>]*)>)')
SUFFIXES = (".h", ".cc", ".inc")


def layer_of(path):
    """The layer of a path like `src/base/check.h`: the longest known folder it lies in, or None."""
    names = [name for name in (*ARROWS, *FREE) if path.startswith(name + "/")]
    return max(names, key=len, default=None)


def includes_of(path):
    """(line number, included name, quoted?) of every include directive."""
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(2) or match.group(3) or "", match.group(1).startswith('"')


def source_files(root):
    folders = {name.split("/")[0] for name in (*ARROWS, *FREE)}
    return [path for folder in sorted(folders) for path in sorted((root / folder).rglob("*"))
            if path.suffix in SUFFIXES and path.is_file()]


def check_include(root, layer, name, quoted):
    """What is wrong with including `name` from a file of `layer`, or None."""
    target = layer_of(name)
    if not quoted:
        return f'<{name}> is ours: include it in quotes' if target and (root / name).is_file() \
            else None
    if ".." in name.split("/") or name.startswith(("/", "./")):
        return f'"{name}" does not start at the root'
    if not (root / name).is_file():
        return f'"{name}" is no file below the root'
    if target is None:
        return f'"{name}" is in no known folder'
    if layer not in FREE and target not in ARROWS[layer]:
        return f"{layer} may not include {target} (\"{name}\")"
    return None


def unit_of(path):
    """The header that a header of template bodies belongs to; every other file is its own."""
    return path.removesuffix("_impl.h") + ".h" if path.endswith("_impl.h") else path


def is_impl_pair(header, impl):
    return impl.endswith("_impl.h") and unit_of(impl) == header


def find_cycles(graph):
    """Chains of includes that come back to their begin, each once, as lists of paths."""
    state, cycles = {}, []  # state: 1 on the current path, 2 done

    def visit(node, path):
        state[node] = 1
        for successor in sorted(graph.get(node, ())):
            if state.get(successor) == 1:
                cycles.append([*path[path.index(successor):], successor])
            elif successor not in state:
                visit(successor, [*path, successor])
        state[node] = 2

    for node in sorted(graph):
        if node not in state:
            visit(node, [node])
    return cycles


def check_tree(root):
    """All faults of the tree below `root`, as lines of text."""
    faults, graph = [], {}
    for path in source_files(root):
        relative = path.relative_to(root).as_posix()
        layer = layer_of(relative)
        for number, name, quoted in includes_of(path):
            fault = check_include(root, layer, name, quoted)
            if fault:
                faults.append(f"{relative}:{number}: {fault}")
            elif quoted and not (is_impl_pair(relative, name) or is_impl_pair(name, relative)):
                graph.setdefault(unit_of(relative), set()).add(unit_of(name))
    for cycle in find_cycles(graph):
        faults.append(f"{cycle[0]}:1: includes come back to it: {' -> '.join(cycle)}")
    return faults


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else \
        pathlib.Path(__file__).resolve().parent.parent
    faults = check_tree(root)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
