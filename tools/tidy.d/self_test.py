"""Breaks every rule once, in a small project of its own, and expects to be told: a check that cannot fail checks nothing.

Invariant: the project as it stands has no finding; each breach gives a finding of the named check.
"""

import json
import os
import pathlib
import subprocess
import tempfile

import checks
import exceptions
import where
from project import Project, parts_of_swift

CANDLE = """// A candle.
// Invariant: low ≤ high.
// Not here: buckets.
// Rules 2.1.

/// Text with braces and slashes that are none: "{ // \\(name("}")) {".
struct Candle {
  let text = "func { unsafe // \\(name("}")) @testable"
  func low() -> Int { 1 }
}
"""
HANDLE = """// Memory.
// Invariant: ours alone.
// Not here: anything else.
// Rules 2.2 and 2.3.

func free() {
  // SAFETY: allocated by us.
  unsafe base.deallocate()
}
"""
TESTS = """// Tests of candles.

/// Rule 2.1: low is low. Rules 2.2–2.3: the rest.
@Test("low", arguments: [
  1,
])
func low(seed: Int) {
  let candle = Candle()
  #expect(candle.low() == 1)
}
"""
GOOD = {
    "docs/spec.md": "## 2. Numbers\n\n2.1 One.\n2.2 Two, as\n3.1 says.\n2.3 Three.\n\n## 7. Later\n\n7.1 Seven.\n",
    "README.md": "See [the rules](docs/spec.md#2) and `tools/go`.\n\n```swift\nlet candle = Candle()\n```\n",
    "Sources/Candle.swift": CANDLE,
    "Sources/MemoryHandle.swift": HANDLE,
    "Tests/CandleTests.swift": TESTS,
    "tools/go": "#!/usr/bin/env bash\n# tools/go: goes.\n# Usage: tools/go\nset -euo pipefail\ngo() {\n  :\n}\n",
    "tools/tidy": "#!/usr/bin/env python3\n\"\"\"tools/tidy: checks. Usage: tools/tidy\"\"\"\n",
    exceptions.LIST: "# Nothing.\n",
}
SYMBOL = {"kind": {"identifier": "swift.var"}, "pathComponents": ["Candle", "low"],
          "location": {"uri": "file:///x/Sources/Candle.swift", "position": {"line": 7}}}


def longer(text, count):
    return text + "\n".join(["  // Why."] * count) + "\n"


def edited(path, old, new):
    assert old in GOOD[path], (path, old)
    return {path: GOOD[path].replace(old, new)}


# Name of the check → files that break its rule.
BREACHES = [
    ("file_length", {"Sources/Candle.swift": longer(CANDLE, 400)}),
    ("file_length", {"tools/go": longer(GOOD["tools/go"], 400).replace("//", "#")}),
    ("function_length", edited("Sources/Candle.swift", "{ 1 }", "{\n" + "    x +=\n" * 70 + "1 }")),
    ("function_length", edited("tools/go", "  :\n", "  :\n" * 70)),
    ("function_length", {"tools/do.py": '"""Does."""\ndef do():\n' + "    pass\n" * 70}),
    ("head", edited("Sources/Candle.swift", "// A candle.\n// Invariant: low ≤ high.\n// Not here: buckets.\n// Rules 2.1.\n", "")),
    ("head", edited("Sources/Candle.swift", "// Not here: buckets.\n", "")),
    ("head", edited("Sources/Candle.swift", "// Invariant: low ≤ high.\n", "")),
    ("head", edited("Tests/CandleTests.swift", "// Tests of candles.", "// Created by nobody.")),
    ("unsafe_code", edited("Sources/Candle.swift", "{ 1 }", "{ unsafe 1 }")),
    ("unsafe_code", edited("Sources/Candle.swift", "{ 1 }", "{ UnsafeMutablePointer<Int>(1) }")),
    ("unsafe_code", edited("Sources/MemoryHandle.swift", "// SAFETY: allocated by us.", "// Frees.")),
    ("testable", edited("Tests/CandleTests.swift", "/// Rule", "@testable" " import Candle\n\n/// Rule")),
    ("vague_name", {"Sources/CandleHelper.swift": CANDLE.replace("// Rules 2.1.", "")}),
    ("vague_name", {"Sources/Common/Candles.swift": CANDLE.replace("// Rules 2.1.", "")}),
    ("vague_name", edited("Sources/Candle.swift", "struct Candle", "struct CandleV2")),
    ("dead_comment", edited("Sources/Candle.swift", "  func low", "  // let low = 2\n  func low")),
    ("dead_comment", edited("Sources/Candle.swift", "  func low", "  // low.append(2)\n  func low")),
    ("dead_comment", edited("Sources/Candle.swift", "  func low", "  // TO" "DO: faster\n  func low")),
    ("foreign_place", {"docs/where-else.md": "It lies in /ho" "me/me/data.\n"}),
    ("foreign_place", {"docs/where-else.md": "Get it from py" "pi.org.\n"}),
    ("resolved", {"Package.resolved": "{}\n"}),
    ("script", edited("tools/go", "# Usage: tools/go\n", "")),
    ("script", edited("tools/go", "set -euo pipefail\n", "")),
    ("script", {"tools/locked": GOOD["tools/go"]}),
    ("link", edited("README.md", "docs/spec.md", "docs/specs.md")),
    ("link", edited("README.md", "`tools/go`", "`tools/come`")),
    ("example", edited("README.md", "let candle = Candle()", "let candle = Candle(1)")),
    ("where", edited("Sources/Candle.swift", "// Rules 2.1.\n", "")),
    ("where", edited("Sources/Candle.swift", "Rules 2.1.", "Rules 2.1, 2.2.")),
    ("where", edited("Sources/Candle.swift", "Rules 2.1.", "Rules 2.1, 2.9.")),
    ("where", edited("Sources/Candle.swift", "Rules 2.1.", "Rules 2.3–2.1.")),
    ("where", edited("Sources/Candle.swift", "  func low", "  // Rules 2.1.\n  func low")),
    ("where", edited("Tests/CandleTests.swift", "Rule 2.1:", "Note:")),
    ("where", edited("Tests/CandleTests.swift", "@Test(", "@Sample(")),
    ("where", {where.PAGE: "stale\n"}),
    ("where", {where.LATER: "2.1\twhole\tall\twhy\n"}),
    ("where", {where.LATER: "2.1\tpart\tthe rest\t\n"}),
    ("exceptions", {exceptions.LIST: "# Nothing.\nhead Sources/Candle.swift\n"}),
    ("exceptions", {exceptions.LIST: "# Nothing.\nhead Sources/Candle.swift\n", **edited(
        "Sources/Candle.swift", "// Not here: buckets.\n", "")}),
    ("undocumented", {"symbols.json": json.dumps({"symbols": [SYMBOL]})}),
]


def lay(root, files):
    for path, text in files.items():
        target = pathlib.Path(root, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        if target.name != "locked" and text.startswith("#!"):
            os.chmod(target, 0o755)


def git(root, *arguments):
    identity = ["-c", "user.name=tidy", "-c", "user.email=tidy@localhost", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


def found_with(files, findings_of):
    """The names of the checks that find something in the good project with `files` laid over it."""
    with tempfile.TemporaryDirectory() as root:
        lay(root, GOOD)
        git(root, "init", "--quiet")
        where.write(Project(root), where.check(Project(root))[1])
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", "All is well")
        lay(root, files)
        git(root, "add", "--all", "--force")
        symbols = pathlib.Path(root, "symbols.json")
        return {finding.check for finding in findings_of(Project(root), symbols if symbols.exists() else None)}


def run(findings_of):
    failures = []

    def expect(holds, text):
        if not holds:
            failures.append(text)

    expect(where.expand("4.2–4.4, 2.1 and 3.3") == ["4.2", "4.3", "4.4", "2.1", "3.3"], "lists of rules are misread")
    with tempfile.TemporaryDirectory() as root:
        lay(root, {where.SPEC: "## 6. Kept\n\nFor a day.\n6.1 One.\n\n## 7. More\n\n7.1 Two, as\n6.1 says.\n"})
        git(root, "init", "--quiet")
        expect(list(where.rules_of_contract(Project(root))) == ["6.0", "6.1", "7.1"], "the contract is misread")
    code, comments = parts_of_swift('let a = #"\\"# // b {\n/* c /* d */ */ let e = """\n"{\n"""')
    expect("{" not in code and "let e" in code and [line for line, _ in comments] == [1, 2], "Swift is misread")
    nothing = found_with({}, findings_of)
    expect(nothing == set(), f"the good project has findings: {nothing}")
    for check, files in BREACHES:
        found = found_with(files, findings_of)
        expect(check in found, f"{check} did not see {', '.join(files)}; found: {found or 'nothing'}")
    broken = {check for check, _ in BREACHES}
    for check in checks.ALL:
        expect(check.__name__ in broken, f"no breach tries {check.__name__}")
    for failure in failures:
        print(f"tidy --self-test: {failure}")
    print(f"tidy --self-test: {len(BREACHES)} breaches, {len(failures) or 'none'} missed")
    return 1 if failures else 0
