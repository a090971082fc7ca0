"""One home per rule: docs/where.md, made from the heads of the sources and from what tests say that they prove.

Invariant: every rule that is built has one file under Sources/ that keeps it and at least one test.
Not here: what a rule says (docs/spec.md); later.tsv holds what is not built yet, and why.
"""

import pathlib
import re

from checks import HEAD_LINES
from project import Finding, brace_end

SPEC, PAGE, LATER = "docs/spec.md", "docs/where.md", "tools/tidy.d/later.tsv"
# The sections of the contract that are built; a rule of another section is listed once a file or a test names it.
BUILT_SECTIONS = (2, 3, 4, 5, 6, 10, 20)

RULE = r"\d{1,2}\.\d{1,2}"
LIST = rf"{RULE}(?:(?:\s*[-–]\s*|\s*,\s*(?:and\s+)?|\s+and\s+){RULE})*"
CLAIM = re.compile(rf"(?:^|\s)Rules? ({LIST})\.?$")
MENTION = re.compile(rf"\bRules? ({LIST})")
DECLARED = re.compile(r"^\s*(?:(?:public|package|private|fileprivate|final|static|mutating)\s+)*"
                      r"(func|struct|enum|class|actor|extension)\s+(`[^`]+`|\w+)")


def expand(text):
    """The rules that a list names: '4.2–4.4, 2.1 and 3.3' is 4.2, 4.3, 4.4, 2.1, 3.3."""
    rules = []
    for part in re.findall(rf"{RULE}(?:\s*[-–]\s*{RULE})?", text):
        ends = [tuple(int(number) for number in rule.split(".")) for rule in re.findall(RULE, part)]
        (section, first), (last_section, last) = ends[0], ends[-1]
        if section != last_section or last < first:
            raise ValueError(f"'{part}' is no range within a section")
        rules += [f"{section}.{number}" for number in range(first, last + 1)]
    return rules


def order(rule):
    return tuple(int(number) for number in rule.split("."))


def rules_of_contract(project):
    """Every numbered rule of the contract, with the line it is on and its first words.

    What stands in a section before its first rule is rule N.0: it may have a home, but need not.
    """
    rules, section, opening = {}, 0, False
    for number, line in enumerate(project.file(SPEC).lines, 1):
        heading = re.match(r"## (\d+)\.", line)
        if heading:
            section, opening = int(heading.group(1)), True
            continue
        # A wrapped line may begin with the number of another rule.
        found = re.match(rf"({RULE}) (.*)", line)
        if found and order(found.group(1))[0] == section:
            rules[found.group(1)] = (number, first_words(found.group(2)))
        elif opening and line.strip():
            rules[f"{section}.0"] = (number, first_words(line))
        opening = opening and not line.strip()
    return rules


def first_words(text):
    text = re.sub(r"[*`|]", "", text).strip()
    return text if len(text) <= 60 else text[:60].rsplit(" ", 1)[0] + " …"


def homes(project, findings):
    """Which files say in their head that they keep a rule: rule → [(path, line)]."""
    kept = {}
    for file in project.swift("Sources/"):
        comments = dict(file.comments)
        for number, comment in comments.items():
            found = CLAIM.search(comment)
            if not found:
                continue
            if number > HEAD_LINES:
                # The sentence of a later comment may end with the number of a rule; a line of its own is a claim.
                if re.match(r"//+ Rules? ", comment):
                    findings.append(Finding(file.path, number, "where", f"'Rules …' stands in lines 1-{HEAD_LINES}"))
                continue
            for rule in expanded(found.group(1), file, number, findings):
                kept.setdefault(rule, []).append((file.path, number))
    return kept


def expanded(text, file, number, findings):
    try:
        return expand(text)
    except ValueError as error:
        findings.append(Finding(file.path, number, "where", str(error)))
        return []


def proofs(project, findings):
    """Which tests say in their documentation comment that they prove a rule: rule → [(path, name, line)]."""
    proved = {}
    for file in project.swift("Tests/"):
        comments = dict(file.comments)
        block, code_lines = [], file.code_lines
        attributes = ""
        for number, code in enumerate(code_lines, 1):
            comment = comments.get(number, "")
            if comment.startswith("///"):
                block.append((number, comment[3:].strip()))
                continue
            declared = DECLARED.match(code)
            if declared and block and is_test(file, declared.group(1), attributes, code, number):
                text = " ".join(part for _, part in block)
                for found in MENTION.finditer(text):
                    for rule in expanded(found.group(1), file, block[0][0], findings):
                        entry = (file.path, declared.group(2).strip("`"), number)
                        if entry not in proved.setdefault(rule, []):
                            proved[rule].append(entry)
            if declared or not code.strip() and not comment and not open_attribute(attributes):
                block, attributes = [], ""
            elif code.strip():
                attributes += code
                if not open_attribute(attributes) and not attributes.strip().startswith("@"):
                    block, attributes = [], ""
    return proved


def open_attribute(text):
    """Whether an attribute that spans lines is still open."""
    return text.count("(") > text.count(")")


def is_test(file, kind, attributes, code, number):
    """Whether the declaration on a line is a test, or a type that holds at least one."""
    if kind == "func":
        return "@Test" in attributes + code
    start = sum(len(line) + 1 for line in file.code_lines[:number - 1])
    opening = file.code.find("{", start)
    return opening >= 0 and "@Test" in file.code[opening:brace_end(file.code, opening)]


def later(project):
    """What is not built yet: rows of rule, 'whole' or 'part', what, why."""
    file = project.file(LATER)
    rows = [line.split("\t") for line in file.lines if line and not line.startswith("#")] if file else []
    return [(row + ["", "", ""])[:4] for row in rows]


def check(project):
    """Findings about rules, and the page as it should be."""
    findings = []
    if not project.file(SPEC):
        return [Finding(SPEC, 1, "where", "the contract is not there")], ""
    rules, kept, proved = rules_of_contract(project), homes(project, findings), proofs(project, findings)
    postponed = later(project)
    whole = {rule for rule, extent, _, _ in postponed if extent == "whole"}
    for rule, extent, _, why in postponed:
        if rule not in rules or extent not in ("whole", "part") or not why:
            findings.append(Finding(LATER, 1, "where", f"{rule}: a row is a rule, 'whole' or 'part', what, why"))
        elif extent == "whole" and rule in kept:
            findings.append(Finding(LATER, 1, "where", f"{rule} is kept by {kept[rule][0][0]}: drop or narrow its row"))
    for rule in sorted(set(kept) | set(proved), key=order):
        if rule not in rules:
            path, line = kept[rule][0] if rule in kept else (proved[rule][0][0], proved[rule][0][2])
            findings.append(Finding(path, line, "where", f"there is no rule {rule} in {SPEC}"))
        for path, line in kept.get(rule, [])[1:]:
            findings.append(Finding(path, line, "where", f"rule {rule} is kept by {kept[rule][0][0]} already: one home each"))
    wanted = {rule for rule in rules if order(rule)[0] in BUILT_SECTIONS and order(rule)[1] > 0 and rule not in whole}
    listed = sorted((wanted | set(kept)) & set(rules), key=order)
    for rule in listed:
        if rule not in kept:
            findings.append(Finding(SPEC, rules[rule][0], "where", f"no head under Sources/ says that it keeps rule {rule}"))
        if rule not in proved:
            findings.append(Finding(SPEC, rules[rule][0], "where", f"no test says that it proves rule {rule}"))
    page = written(rules, listed, kept, proved, postponed)
    current = project.file(PAGE)
    if current is None or current.text != page:
        findings.append(Finding(PAGE, 1, "where", "is stale: tools/tidy --write makes it anew"))
    return findings, page


def written(rules, listed, kept, proved, postponed):
    """The page itself."""
    lines = [
        "# Where each rule lives", "",
        "Made by `tools/tidy --write` from the heads of the sources (`Rules …`) and the documentation comments of the tests;",
        "`tools/tidy` fails where a rule of [the contract](spec.md) has no file, two files or no test, or where this page is stale.",
        "", "| rule | it begins | kept by | proved by |", "| --- | --- | --- | --- |",
    ]
    for rule in listed:
        paths = ", ".join(f"`{path}`" for path, _ in kept.get(rule, [])[:1]) or "–"
        tests = {}
        for path, name, _ in proved.get(rule, []):
            tests.setdefault(path, []).append(name)
        told = "<br>".join(f"`{path}`: {', '.join(names)}" for path, names in sorted(tests.items())) or "–"
        lines.append(f"| {rule} | {rules[rule][1]} | {paths} | {told} |")
    lines += ["", "## Not built yet", "", "| rule | what | why |", "| --- | --- | --- |"]
    for rule, extent, what, why in sorted(postponed, key=lambda row: order(row[0])):
        lines.append(f"| {rule}{'' if extent == 'part' else ' (all of it)'} | {what} | {why} |")
    return "\n".join(lines) + "\n"


def write(project, page):
    path = pathlib.Path(project.root) / PAGE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
