# Shared by the scripts in this folder; POSIX sh. Sourced from the project's root.

say() {
    echo "==> $*" >&2
}

die() {
    echo "error: $*" >&2
    exit 1
}

# Runs a command as root, if that needs no password.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

can_be_root() {
    [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null
}

have_apt() {
    command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1
}

# Installs Debian packages for the whole machine.
apt_install() {
    set -- env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
        install -y --no-install-recommends "$@"
    as_root "$@" >/dev/null 2>&1 && return
    # The list of packages may be missing or old.
    as_root apt-get -qq -o DPkg::Lock::Timeout=300 update && as_root "$@" >/dev/null
}

# Unpacks Debian packages, with their missing dependencies, into the folder $1.
# Needs no root: apt works on its own copy of the package lists.
apt_unpack() {
    into=$1
    shift
    apt=$PWD/.cache/apt
    mkdir -p "$into" "$apt/lists/partial" "$apt/archives/partial"
    set -- install -y --download-only --no-install-recommends "$@"
    private_apt update && private_apt "$@" >/dev/null || return
    # The C library must be the machine's own.
    rm -f "$apt"/archives/libc6_*.deb
    for deb in "$apt"/archives/*.deb; do
        dpkg-deb -x "$deb" "$into" || return
    done
    rm -rf "$apt"
}

private_apt() {
    apt-get -qq -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt" -o Dir::Cache::archives="$apt/archives" \
        -o Debug::NoLocking=1 "$@"
}
