# curl for the tests of the API's guide; POSIX sh, sourced after common.sh.

# Puts a working curl on the PATH; installs one if there is none.
find_curl() {
    curl --version >/dev/null 2>&1 && return
    unpacked=$PWD/.cache/curl
    if [ ! -x "$unpacked/curl" ]; then
        have_apt || die "curl is needed for the tests and cannot be installed here."
        say "Installing curl for the tests"
        if can_be_root; then
            apt_install curl || die "curl could not be installed."
            return
        fi
        unpack_curl || die "curl could not be installed."
    fi
    export PATH="$unpacked:$PATH"
    curl --version >/dev/null || die "The curl in $unpacked does not run."
}

# Debian's curl, unpacked into .cache/curl: for users who may not install packages.
unpack_curl() {
    apt_unpack "$unpacked/root" curl || return
    libraries=$(find "$unpacked/root" -name '*.so*' -path '*-linux-gnu*' -printf '%h\n' | sort -u | paste -sd:)
    cat >"$unpacked/curl" <<END
#!/bin/sh
export LD_LIBRARY_PATH="$libraries\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
exec "$unpacked/root/usr/bin/curl" "\$@"
END
    chmod +x "$unpacked/curl"
}
