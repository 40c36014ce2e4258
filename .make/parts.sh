# The two parts of the tests; POSIX sh, sourced from the project's root.

results=.cache/results

# Runs one part: its name, then what pytest is given. The exit code is pytest's.
part() {
    name=$1
    shift
    .venv/bin/python -m pytest -p tests.reporting --results "$results/$name.json" "$@"
}

# In the order of the collection, one by one: tests that empty the database come last in each process.
without_browser() {
    name=$1
    shift
    part "$name" -n 3 --dist load --ignore=tests/e2e --ignore=tests/attacks "$@"
}

# They mostly wait: three files at a time. Each starts portals of its own.
with_browser() {
    part with-browser -n 3 --dist loadfile tests/e2e tests/attacks
}

# Prints what failed in the named parts; fails unless all ended well.
summarize() {
    echo "----------------------------------------------------------------------"
    for name in "$@"; do
        set -- "$@" "$results/$name.json"
        shift
    done
    .venv/bin/python -m tests.summary "$@"
}
