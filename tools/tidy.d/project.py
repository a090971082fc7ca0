"""What the checks look at: the files of the project, read once, and Swift text with its parts told apart.

Invariant: `code` has the length and the lines of the file; comments and the insides of strings are blanks in it.
Not here: any rule of style (checks.py, where.py).
"""

import pathlib
import re
import subprocess
from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Finding:
    """One breach of a house rule: where it is, which check found it, what it is and what to do."""

    path: str
    line: int
    check: str
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.check}: {self.text}"


@dataclass
class File:
    """A tracked file; `text` is None where it is not UTF-8."""

    path: str
    text: str
    lines: list = field(init=False)
    code: str = field(init=False, default="")
    comments: list = field(init=False, default_factory=list)

    def __post_init__(self):
        self.lines = (self.text or "").split("\n")
        if self.path.endswith(".swift") and self.text is not None:
            self.code, self.comments = parts_of_swift(self.text)

    @property
    def name(self):
        return self.path.rsplit("/", 1)[-1]

    @property
    def stem(self):
        return self.name.split(".")[0]

    @property
    def is_script(self):
        """Whether the file is a program in bash or Python, by its suffix or its first line."""
        return self.name.endswith((".py", ".sh")) or self.lines[0].startswith("#!")

    @property
    def is_python(self):
        return self.name.endswith(".py") or bool(re.match(r"#!.*\bpython", self.lines[0]))

    @property
    def is_code(self):
        return self.name.endswith((".swift", ".c", ".h")) or self.is_script

    @property
    def code_lines(self):
        return self.code.split("\n")

    def line_at(self, offset):
        return self.text.count("\n", 0, offset) + 1


class Project:
    """Every file that git tracks, or would track: what is ignored is not part of the project."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=self.root, check=True, capture_output=True,
        ).stdout.decode()
        self.paths = sorted({path for path in listed.split("\0") if path and (self.root / path).is_file()})
        self.files = [File(path, self._text(path)) for path in self.paths]

    def _text(self, path):
        try:
            return (self.root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            return None

    def file(self, path):
        return next((file for file in self.files if file.path == path), None)

    def swift(self, folder=""):
        return [file for file in self.files if file.path.endswith(".swift") and file.path.startswith(folder)]

    def exists(self, path):
        return (self.root / path).exists()


def parts_of_swift(text):
    """The code with comments and strings blanked, and the comments as (line, text with its slashes)."""
    code, comments, index = list(text), [], 0

    def blank(start, end):
        for at in range(start, end):
            if code[at] != "\n":
                code[at] = " "

    while index < len(text):
        end = comment_end(text, index)
        if end is not None:
            first = text.count("\n", 0, index) + 1
            for offset, line in enumerate(text[index:end].split("\n")):
                comments.append((first + offset, line.strip()))
            blank(index, end)
            index = end
            continue
        opening = re.compile(r'(#*)("""|")').match(text, index)
        if opening:
            end = string_end(text, index, opening)
            blank(opening.end(), end - len(opening.group()))
            index = end
            continue
        index += 1
    return "".join(code), comments


def comment_end(text, index):
    """Where the comment ends that starts at `index`; None where none starts there. Comments nest in Swift."""
    if text.startswith("//", index):
        end = text.find("\n", index)
        return len(text) if end < 0 else end
    if not text.startswith("/*", index):
        return None
    depth = 0
    while index < len(text):
        if text.startswith("/*", index):
            depth, index = depth + 1, index + 2
        elif text.startswith("*/", index):
            depth, index = depth - 1, index + 2
            if depth == 0:
                return index
        else:
            index += 1
    return index


def string_end(text, index, opening):
    """Where the string ends that `opening` opens, interpolations and what is quoted in them passed over."""
    hashes, quote = opening.groups()
    closing, escape = quote + hashes, "\\" + hashes
    index = opening.end()
    while index < len(text):
        if text.startswith(closing, index):
            return index + len(closing)
        if text.startswith(escape + "(", index):
            index = parenthesis_end(text, index + len(escape))
        elif text.startswith(escape, index):
            index += len(escape) + 1
        else:
            index += 1
    return len(text)


def parenthesis_end(text, index):
    """Where the parenthesis closes that opens at `index`."""
    depth = 0
    while index < len(text):
        opening = re.compile(r'(#*)("""|")').match(text, index)
        if opening:
            index = string_end(text, index, opening)
            continue
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        index += 1
        if depth == 0:
            break
    return index


def brace_end(code, index):
    """The offset of the brace that closes the one at `index`, in code without strings and comments."""
    depth = 0
    for at in range(index, len(code)):
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        if depth == 0:
            return at
    return len(code) - 1
