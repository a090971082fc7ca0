"""The list of what is let pass, in exceptions.txt: it may only shrink.

Invariant: an entry that lets nothing pass, or that was not in the list when it was begun, is a finding itself.
"""

import subprocess

from project import Finding

LIST = "tools/tidy.d/exceptions.txt"


def entries_of(text):
    """The entries 'CHECK PATH' of a list, in order."""
    return [line.strip() for line in text.split("\n") if line.strip() and not line.startswith("#")]


def first_version(project):
    """The list as it was first committed; None where git does not know it (not committed yet, or a shallow clone)."""
    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=project.root, capture_output=True, text=True, check=False).stdout
    added = git("log", "--diff-filter=A", "--format=%H", "--", LIST).split()
    return git("show", f"{added[-1]}:{LIST}") if added else None


def applied(project, findings, checks_run):
    """The findings of the named checks that are not let pass, and those about the list."""
    file = project.file(LIST)
    entries = entries_of(file.text) if file else []
    passed = {entry: 0 for entry in entries}
    rest = []
    for finding in findings:
        entry = f"{finding.check} {finding.path}"
        if entry in passed:
            passed[entry] += 1
        else:
            rest.append(finding)
    begun = first_version(project)
    for entry, count in passed.items():
        if count == 0 and entry.split(" ")[0] in checks_run:
            rest.append(Finding(LIST, 1, "exceptions", f"'{entry}' lets nothing pass any more: drop it"))
        if begun is not None and entry not in entries_of(begun):
            rest.append(Finding(LIST, 1, "exceptions", f"'{entry}' is new: the list may only shrink"))
    return rest
