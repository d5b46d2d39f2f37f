"""The mutants of a module: mutmut's changes, and where in the compiled module each of them lies."""

import difflib
import types
from dataclasses import dataclass
from pathlib import Path

import libcst
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    path: Path
    file: str
    line: int
    was: str
    becomes: str
    function: str  # the qualified name of the outermost function that differs, or "" if more than one function does
    source: str

    @property
    def module(self):
        """The name under which the file is imported."""
        return self.file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


class Visitor(MutationVisitor):
    """Mutmut's choice of places, and the decorated functions, which it leaves out because of how it puts mutants in."""

    def _skip_node_and_children(self, node):
        if isinstance(node, libcst.Assign) and node.targets[0].target.deep_equals(libcst.Name("__all__")):
            return True
        plain = isinstance(node, libcst.FunctionDef) and node.name.value != "__getattribute__"
        return False if plain else super()._skip_node_and_children(node)


@dataclass(frozen=True)
class Change:
    """One node of a file, and what stands there instead."""

    path: Path
    module: libcst.Module
    node: libcst.CSTNode
    instead: libcst.CSTNode


def changes_of(path):
    """Return all changes of a file."""
    wrapper = libcst.MetadataWrapper(libcst.parse_module(path.read_text("utf-8")))
    visitor = Visitor(mutation_operators, IgnoredCode(set(), set(), set()))
    module = wrapper.visit(visitor)
    changes = [Change(path, module, found.original_node, found.mutated_node) for found in visitor.mutations]
    return [change for change in changes if not _is_wording(change.node)]


def mutant_of(change, root):
    """Return the mutant, or None if it is no Python or compiles to the same."""
    source, changed = change.module.code, change.module.deep_replace(change.node, change.instead).code
    try:
        codes = [compile(text, str(change.path), "exec", dont_inherit=True) for text in (source, changed)]
    except SyntaxError:  # such as a keyword before what is no keyword any more
        return None
    was, becomes = map(_prints, codes)
    differing = [name for name in was if was[name] != becomes.get(name)]
    if not differing:
        return None
    function = differing[0] if len(differing) == 1 else ""
    return Mutant(change.path, change.path.relative_to(root).as_posix(), *_line(source, changed), function, changed)


def functions(code, inside=""):
    """Yield name and code of the outermost functions of a module; a name that is defined twice comes twice."""
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            if (
                part.co_flags & 0x2
            ):  # CO_NEWLOCALS: a function, a lambda or a comprehension, but not the body of a class
                yield inside + part.co_name, part
            else:
                yield from functions(part, f"{inside}{part.co_name}.")


def _is_wording(node):
    """Sentences are not what is tested here; keys and names are."""
    return isinstance(node, libcst.SimpleString) and " " in node.value


def _prints(code):
    """Return by name what each function does, and under "" what the rest of the module does."""
    names = [name for name, _ in functions(code)]
    found = {name: _print(part) for name, part in functions(code) if names.count(name) == 1}
    return found | {"": _print(code, without=set(found))}


def _print(code, without=(), inside=""):
    """Return what a code object does, its place in the file not counted."""
    consts = []
    for part in code.co_consts:
        if not isinstance(part, types.CodeType):
            consts.append(repr(sorted(part, key=repr)) if isinstance(part, frozenset) else repr(part))
        elif inside + part.co_name not in without:
            consts.append(_print(part, without, "" if part.co_flags & 0x2 else f"{inside}{part.co_name}."))
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
    return (
        code.co_code,
        tuple(consts),
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_exceptiontable,
        counts,
    )


def _line(source, changed):
    old, new = source.splitlines(), changed.splitlines()
    for kind, begin, end, start, stop in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            return begin + 1, " ".join(map(str.strip, old[begin:end])), " ".join(map(str.strip, new[start:stop]))
    raise AssertionError("a mutant that compiles to something else has another text")
