"""The house rules that hold for one file at a time. One function a rule; each yields findings.

Invariant: a check names itself by its function's name; self_test.py breaks each of them once.
Not here: rules and their homes (where.py), how files are read (project.py).
"""

import ast
import json
import os
import posixpath
import re

from project import Finding, brace_end

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
HEAD_LINES = 6
# How far above a function, or an unsafe line outside of one, its SAFETY comment may stand.
SAFETY_LINES = 3

# Patterns are written so that they do not match themselves.
UNSAFE = re.compile(r"\bunsafe\b|@unsafe\b|\bUnsafe\w*Pointer\b|\bwithUnsafe\w+|\bunsafeBitCast\b|\bUnmanaged\b|@unchecked\b")
MACHINE_PATH = re.compile(r"(?<![\w.:/~*}$-])/(?:work|opt|root|home|Users|tmp)/")
REGISTRY_HOST = re.compile(
    r"\b(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|crates\.io|(?:deb|security)\.debian\.org|proxy\.golang\.org"
    r"|rubygems\.org|maven\.org)\b")
UNDONE = re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b")
NAME_WORD = re.compile(r"(?:^|(?<=[a-z0-9_./+-])|(?=[A-Z]))(?:[Uu]tils?|[Cc]ommons?|[Hh]elpers?|V2|[Ll]egacy)(?![a-z0-9])")
BANNER = re.compile(r"\b(?:Copyright|Created by|Licensed under|Author)\b", re.IGNORECASE)
CODE_IN_COMMENT = re.compile(
    r"^(?:(?:(?:public|private|package|internal|static|mutating|@\w+)\s+)*(?:let|var)\s+\w+\s*(?::[^.]*)?=(?!=).*"
    r"|(?:(?:public|private|package|internal|static|mutating|@\w+)\s+)*(?:func|struct|class|enum|extension)\s+\w+.*[{(].*"
    r"|import\s+[A-Z]\w+"
    r"|(?:try\s+|return\s+|await\s+)?[\w.]+\([^()]*\)"
    r"|.*[;{]"
    r"|\}.*)$")
DECLARATION = re.compile(
    r"(?<![.\w])(?:func\b|init\b(?=[?!]?\s*[<(])|deinit\b|subscript\b(?=\s*[<(])|var\s+\w+\s*:[^={}\n]*(?=\{))")
OTHER_DECLARATION = re.compile(
    r"(?<![.\w`])(?:func|var|let|init|subscript|case|struct|enum|class|extension|protocol|typealias|deinit|associatedtype)\b")


def file_length(project):
    """A file of code has at most 400 lines."""
    for file in project.files:
        count = len(file.text.splitlines()) if file.text else 0
        if file.is_code and count > FILE_LINES_MAX:
            yield Finding(file.path, FILE_LINES_MAX + 1, "file_length",
                          f"{count} lines, at most {FILE_LINES_MAX}: split along a boundary that has its own test")


def function_length(project):
    """A function has at most 70 lines."""
    for file in project.files:
        for name, first, last in functions(file):
            if last - first + 1 > FUNCTION_LINES_MAX:
                yield Finding(file.path, first, "function_length",
                              f"{name}: {last - first + 1} lines, at most {FUNCTION_LINES_MAX}: name its steps")


def functions(file):
    """Every function of a file as (name, first line, last line)."""
    if file.text is None:
        return
    if file.path.endswith(".swift"):
        for found in DECLARATION.finditer(file.code):
            body = body_start(file.code, found.end())
            if body is not None:
                words = file.code[found.start():body].split("\n")[0].strip()
                yield words, file.line_at(found.start()), file.line_at(brace_end(file.code, body))
    elif file.is_python:
        for node in ast.walk(ast.parse(file.text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield f"def {node.name}", node.lineno, node.end_lineno
    elif file.is_script:
        for found in re.finditer(r"^(\w+)\(\) \{\n(?:.*\n)*?\}$", file.text, re.MULTILINE):
            yield found.group(1), file.line_at(found.start()), file.line_at(found.end())


def body_start(code, index):
    """The offset of a function's opening brace; None where it is only declared, as in a protocol."""
    depth = 0
    while index < len(code):
        character = code[index]
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if depth == 0:
            if character == "{":
                return index
            if character == "}" or OTHER_DECLARATION.match(code, index):
                return None
        index += 1
    return None


def head(project):
    """Lines 1-6 of a file say what it is; under Sources also its invariant and what is not there. No banner."""
    for file in project.files:
        if not file.is_code or file.text is None or file.path == "Package.swift":
            continue
        first = file.lines[:HEAD_LINES]
        said = [line for line in first if re.match(r'(//|#(?!!|\s*(?:shellcheck|include|pragma))|"""|/\*)\W*\w', line)]
        if not said:
            yield Finding(file.path, 1, "head", "lines 1-6 do not say what the file is")
        elif any(BANNER.search(line) for line in said):
            yield Finding(file.path, 1, "head", "no licence banner and no author: LICENSE and git know them")
        elif file.path.startswith("Sources/") and file.path.endswith(".swift"):
            for word in ("Invariant", "Not here"):
                if word not in "\n".join(first):
                    yield Finding(file.path, 1, "head", f"lines 1-6 lack '{word}: …'")


def unsafe_code(project):
    """Unsafe code stands in files named …Handle.swift; a function with any says in a SAFETY comment why it is right."""
    for file in project.swift():
        if file.path == "Package.swift":
            continue
        reasons = {line for line, text in file.comments if re.match(r"//+ SAFETY: \S", text)}
        bodies = [(first, last) for _, first, last in functions(file)]
        for number, line in enumerate(file.code_lines, 1):
            if not UNSAFE.search(line):
                continue
            if not file.name.endswith("Handle.swift"):
                yield Finding(file.path, number, "unsafe_code", "unsafe code outside a …Handle.swift: move it behind one")
            # Setting a pointer to nil can do no harm.
            elif re.search(r"\bunsafe\b(?! \w+ = nil\b)", line):
                first, last = max(((a, b) for a, b in bodies if a <= number <= b), default=(number, number))
                if not reasons & set(range(first - SAFETY_LINES, last + 1)):
                    yield Finding(file.path, number, "unsafe_code", "no '// SAFETY: why' in its function or right above")


def testable(project):
    """Tests use doors, never @testable."""
    for file in project.swift():
        for number, line in enumerate(file.code_lines, 1):
            if re.search(r"@testable\b", line):
                yield Finding(file.path, number, "testable", "open a door with 'package' access instead")


def vague_name(project):
    """Files and types are named for what they are."""
    for path in project.paths:
        if NAME_WORD.search(path.rsplit(".", 1)[0]):
            yield Finding(path, 1, "vague_name", "name the file for what it is")
    for file in project.swift():
        for found in re.finditer(r"\b(?:struct|class|enum|actor|protocol|typealias)\s+(\w+)", file.code):
            if NAME_WORD.search(found.group(1)):
                yield Finding(file.path, file.line_at(found.start()), "vague_name", f"name {found.group(1)} for what it is")


def dead_comment(project):
    """No commented-out code; nothing left undone without its open question."""
    for file in project.swift():
        for number, text in file.comments:
            if re.match(r"//(?!/)", text) and CODE_IN_COMMENT.match(text.lstrip("/").strip()):
                yield Finding(file.path, number, "dead_comment", "commented-out code: git keeps it")
    for file in project.files:
        if not file.is_code:
            continue
        for number, line in enumerate(file.lines, 1):
            if UNDONE.search(line) and "?" not in line:
                yield Finding(file.path, number, "dead_comment", "something undone without its open question")


def foreign_place(project):
    """No path of somebody's machine and no registry's host in any file."""
    for file in project.files:
        for number, line in enumerate(file.lines, 1):
            if MACHINE_PATH.search(line):
                yield Finding(file.path, number, "foreign_place", "an absolute path of one machine")
            if REGISTRY_HOST.search(line):
                yield Finding(file.path, number, "foreign_place", "the host of a package registry")


def resolved(project):
    """No Package.resolved: the manifest is what users of a library see."""
    for path in project.paths:
        if path.endswith("Package.resolved"):
            yield Finding(path, 1, "resolved", "is not for tracking")


def script(project):
    """A bash tool stops at its first error, says how it is used in lines 1-6, and may be run."""
    for file in project.files:
        if not file.text or not file.lines[0].startswith("#!"):
            continue
        if not os.access(project.root / file.path, os.X_OK):
            yield Finding(file.path, 1, "script", "has no run bit")
        if not any("Usage: " in line for line in file.lines[:HEAD_LINES]):
            yield Finding(file.path, 1, "script", "lines 1-6 lack 'Usage: …'")
        if file.lines[0].endswith("bash") and "set -euo pipefail" not in file.lines:
            yield Finding(file.path, 1, "script", "lacks 'set -euo pipefail'")


def link(project):
    """Links in Markdown, and paths in backticks that begin with a folder of ours, lead to something."""
    for file in project.files:
        if not file.path.endswith(".md") or file.text is None:
            continue
        folder = posixpath.dirname(file.path)
        for number, line in enumerate(file.lines, 1):
            for target in re.findall(r"\]\(([^)\s]+)\)", line):
                target = target.split("#")[0]
                if target and not re.match(r"[a-z]+:", target) and not project.exists(posixpath.join(folder, target)):
                    yield Finding(file.path, number, "link", f"{target} is not there")
            # The contract speaks of what is still to come.
            if file.path == "docs/spec.md":
                continue
            for target in re.findall(r"`((?:\.ci|Sources|Tests|data|docs|tools)/[\w./+-]*[\w+])/?`", line):
                if not project.exists(target):
                    yield Finding(file.path, number, "link", f"{target} is not there")


def example(project):
    """Every Swift example of the README and the guides stands, line for line, in a file that is compiled and tested."""
    compiled = [[line.strip() for line in file.lines] for file in project.swift("Tests/")]
    for file in project.files:
        if not file.path.endswith(".md") or file.path == "docs/spec.md" or file.text is None:
            continue
        for found in re.finditer(r"^```swift\n(.*?)^```$", file.text, re.MULTILINE | re.DOTALL):
            wanted = [line.strip() for line in found.group(1).rstrip("\n").split("\n")]
            if not any(holds(lines, wanted) for lines in compiled):
                yield Finding(file.path, file.line_at(found.start()), "example",
                              "stands in no file under Tests/ as it is: compile it and run it there")


def holds(lines, wanted):
    """Whether the lines of `wanted` follow each other in `lines`; imports may stand elsewhere in the file."""
    imports = [line for line in wanted if line.startswith("import ")]
    rest = [line for line in wanted if not line.startswith("import ")]
    while rest and not rest[0]:
        rest.pop(0)
    if not set(imports) <= set(lines):
        return False
    return any(lines[start:start + len(rest)] == rest for start in range(len(lines) - len(rest) + 1))


def undocumented(symbols_path):
    """Every public symbol of the library has a documentation comment; an operator's meaning is its protocol's."""
    with open(symbols_path, encoding="utf-8") as stream:
        symbols = json.load(stream)["symbols"]
    for symbol in symbols:
        kind, where = symbol["kind"]["identifier"], symbol.get("location")
        if "docComment" in symbol or where is None or kind in ("swift.func.op", "swift.extension"):
            continue
        path = where["uri"].split("/Sources/", 1)[-1]
        yield Finding("Sources/" + path, where["position"]["line"] + 1, "undocumented", ".".join(symbol["pathComponents"]))


ALL = [file_length, function_length, head, unsafe_code, testable, vague_name, dead_comment, foreign_place, resolved,
       script, link, example]
