"""Run cases and programs in real TensorFlow 1.15 and in relight, side by side, and compare.

    ORACLE=python3.7 python tests/tools/oracle.py [--cases | --programs] [NAME ...]

NAME is a family of tests/cases or a program of tests/programs; without names all are run. Nothing
recorded is read or changed, so this shows what is so today, whatever the goldens say. One line for
each family or program, and a line for each difference. Exit code 1 when something differs.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)


def run(kind, name, path):
    """Run one family or program in the implementation of this interpreter; write what it gave."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import warnings

    warnings.filterwarnings("ignore")
    import curves
    import graphs
    import harness
    from programs import digits

    if sys.version_info < (3, 8):
        import tensorflow as tf
    else:
        sys.path.insert(0, os.path.dirname(TESTS))
        import relight.v1 as tf
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
    if kind == "family":
        found = {k: harness.run(tf, function) for k, function in harness.cases(name).items()}
    elif kind == "graphs":
        found = graphs.program(tf, name, digits.load(500))
    else:
        found = curves.run(tf, name, digits.load(), steps=curves.START)
    with open(path, "w") as f:
        json.dump(found, f)


def _both(oracle, kind, name):
    """What TensorFlow and relight give; a side that broke gives the end of what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        started = []
        for side, interpreter in (("tensorflow", oracle), ("relight", sys.executable)):
            path = os.path.join(folder, side)
            arguments = [interpreter, os.path.abspath(__file__), "--run", kind, name, path]
            with open(path + ".log", "w") as log:
                process = subprocess.Popen(arguments, stdout=log, stderr=subprocess.STDOUT)
            started.append((path, process))
        for path, process in started:
            if process.wait() != 0:
                with open(path + ".log", errors="replace") as f:
                    said = "\n".join(f.read().splitlines()[-5:])
                side = os.path.basename(path)
                yield "%s of %s: %s ended with %d\n%s" % (
                    kind,
                    name,
                    side,
                    process.returncode,
                    said,
                )
            else:
                with open(path) as f:
                    yield json.load(f)


def family(oracle, name):
    """(how many cases, sentences about those that differ)."""
    import harness

    sides = list(_both(oracle, "family", name))
    broken = [s for s in sides if isinstance(s, str)]
    if broken:
        return 0, broken
    theirs, ours = sides
    problems = []
    for case, function in harness.cases(name).items():
        problems += [
            "%s/%s: %s" % (name, case, p)
            for p in harness.differences(
                theirs[case],
                json.loads(json.dumps(ours[case])),
                rtol=getattr(function, "rtol", 1e-5),
                atol=getattr(function, "atol", 1e-6),
                seeded=getattr(function, "seeded", True),
                message=getattr(function, "message", True),
            )
        ]
    return len(theirs), problems


def program(oracle, name):
    """(how many graphs and steps, sentences about those that differ) of a program."""
    import curves
    import graphs
    import programs

    sides = list(_both(oracle, "graphs", name))
    if any(isinstance(s, str) for s in sides):
        return 0, [s for s in sides if isinstance(s, str)]
    theirs, ours = sides
    count, problems = len(theirs), []
    for key in theirs:
        conditionals = graphs.CONDITIONALS.get(name, ()) if key == "train" else ()
        found = graphs.differences(theirs[key], ours[key], conditionals)
        problems += ["%s/%s: %s" % (name, key, p) for p in found]
    if name in programs.NAMES:
        sides = list(_both(oracle, "curves", name))
        if any(isinstance(s, str) for s in sides):
            return count, problems + [s for s in sides if isinstance(s, str)]
        theirs, ours = sides
        count += len(theirs["losses"])
        if theirs["before"] != ours["before"]:
            problems.append("%s: other initial values" % name)
        far = curves.distances(theirs["losses"], ours["losses"])[-1]
        if not far <= curves.FLOOR:
            problems.append("%s: losses %.1e apart" % (name, far))
    return count, problems


def main():
    """Run what is asked for and print what differs."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--run"]:
        run(*arguments[1:])
        return
    import harness
    import programs

    oracle = os.environ.get("ORACLE")
    if not oracle:
        sys.exit("set ORACLE to a Python 3.7 that has tensorflow-cpu 1.15.0")
    names = [a for a in arguments if not a.startswith("--")]
    families = harness.families(os.path.join(TESTS, "cases"))
    unknown = [n for n in names if n not in families and n not in programs.GRAPHS]
    if unknown:
        sys.exit("no family and no program: " + ", ".join(unknown))
    work = []
    if "--programs" not in arguments:
        work += [("cases", family, n) for n in families if not names or n in names]
    if "--cases" not in arguments:
        chosen = [n for n in programs.GRAPHS if n in names or not names]
        work += [("graphs and steps", program, n) for n in chosen]
    total, wrong, began = 0, [], time.time()
    for what, compare, name in work:
        start = time.time()
        count, problems = compare(oracle, name)
        state = "%d differences" % len(problems) if problems else "same"
        print("%-20s %4d %-16s %s  %.0f s" % (name, count, what, state, time.time() - start))
        for problem in problems:
            print("    " + problem.replace("\n", "\n    "))
        sys.stdout.flush()
        total, wrong = total + count, wrong + ([name] if problems else [])
    print(
        "%d compared in %.0f s; %s"
        % (total, time.time() - began, "differ: " + ", ".join(wrong) if wrong else "all the same")
    )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
