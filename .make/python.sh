# The virtual environment .venv; POSIX sh, sourced after common.sh.

# Prints the first Python that is new enough; considers only $PYTHON if it is set.
find_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

# Creates .venv if it is missing, broken or of another Python.
make_venv() {
    python=$(find_python) || die "Python 3.11 or newer is needed; ${PYTHON:-python3} is older or missing." \
        "Install one, or name one: make $(basename "$0") PYTHON=python3.11"
    made_with=$("$python" -c 'import sys; print(sys.base_prefix, *sys.version_info[:2])')
    if [ "$(cat .venv/made-with 2>/dev/null)" = "$made_with" ] && .venv/bin/python -c 'import pip' 2>/dev/null; then
        return
    fi
    say "Creating the virtual environment .venv with $("$python" --version)"
    rm -rf .venv
    version=$("$python" -c 'import sys; print("{}.{}".format(*sys.version_info))')
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null && have_apt && can_be_root; then
        say "Installing the Debian package python$version-venv"
        apt_install "python$version-venv" || say "That did not work; trying without it"
    fi
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv .venv
    else
        "$python" -m venv --without-pip .venv || die "Python lacks its module venv: install python$version-venv."
        add_pip || die "pip could not be put into .venv: install the package python$version-venv and try again."
    fi
    echo "$made_with" >.venv/made-with
}

# Installs pip into a .venv created without it.
add_pip() {
    if "$python" -m pip --python .venv/bin/python install -q pip 2>/dev/null; then
        return
    fi
    have_apt || return
    say "Fetching pip from the Debian package python3-pip-whl"
    apt_unpack .cache/pip python3-pip-whl || return
    wheel=$(ls .cache/pip/usr/share/python-wheels/pip-*.whl) || return
    .venv/bin/python "$wheel/pip" install -q --no-index "$wheel" && rm -rf .cache/pip
}

# Installs the given requirement files, unless .venv matches them already.
install_requirements() {
    mkdir -p .cache
    (
        flock 9 # concurrent installs would interfere
        make_venv
        for file in "$@"; do
            wanted=$(sha256sum <"$file")
            stamp=.venv/installed-$file
            if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
                say "Installing the packages of $file"
                .venv/bin/python -m pip install -q --disable-pip-version-check --no-input -r "$file" ||
                    die "The packages of $file could not be installed."
                echo "$wanted" >"$stamp"
            fi
        done
    ) 9>.cache/setup.lock
}
