"""docs/SEEDS.md names a test for every claim, and each test that it names exists and carries the claim's id."""
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CLAIMS = {"S000": 35, "S001": 14, "S004": 14}


def main():
    with open(os.path.join(ROOT, "docs", "SEEDS.md"), encoding="utf-8") as file:
        rows = re.findall(r"^\| (S\d{3}\.\d{2}) \| (\S+) \|", file.read(), re.M)
    listed = [claim for claim, _ in rows]
    problems = [f"{claim} is listed twice" for claim in sorted(set(listed)) if listed.count(claim) > 1]
    for seed, count in CLAIMS.items():
        problems += [f"{seed}.{n:02} has no test" for n in range(1, count + 1) if f"{seed}.{n:02}" not in listed]
    sources = ""
    for name in sorted(os.listdir(os.path.join(ROOT, "tests", "seeds"))):
        if name.endswith(".cc"):
            with open(os.path.join(ROOT, "tests", "seeds", name), encoding="utf-8") as file:
                sources += file.read()
    for claim, test in rows:
        if claim not in sources and claim.replace(".", "_") not in sources:
            problems.append(f"{claim} stands in no file of tests/seeds")
        suite, _, case = test.strip("`").partition(".")
        if not re.search(rf"TEST(_F|_P)?\({suite}, {case}\)", sources):
            problems.append(f"{claim}: there is no test {test}")
    print("\n".join(problems) if problems else f"{len(rows)} claims, each with its test")
    return 1 if problems else 0


sys.exit(main())
