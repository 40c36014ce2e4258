# The two parts of the tests; POSIX sh, sourced from the project's root.

results=.cache/results

# Runs one part: its name, then the arguments of pytest. The exit code is pytest's.
part() {
    name=$1
    shift
    .venv/bin/python -m pytest -p tests.reporting --results "$results/$name.json" "$@"
}

# In collection order, one by one: tests that empty the database come last in each process.
without_browser() {
    name=$1
    shift
    part "$name" -n 3 --dist load --ignore=tests/e2e --ignore=tests/attacks "$@"
}

# They mostly wait: three files at a time. Each starts its own portals.
with_browser() {
    part with-browser -n 3 --dist loadfile tests/e2e tests/attacks
}

# Prints the failures of the named parts; fails unless all passed.
summarize() {
    echo "----------------------------------------------------------------------"
    for name in "$@"; do
        set -- "$@" "$results/$name.json"
        shift
    done
    .venv/bin/python -m tests.summary "$@"
}
