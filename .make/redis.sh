# A Redis server for the tests of several processes; POSIX sh, sourced after common.sh.

# Sets PORTAL_REDIS to a working redis-server; installs one if there is none.
find_redis() {
    PORTAL_REDIS=${PORTAL_REDIS:-$(command -v redis-server || true)}
    unpacked=$PWD/.cache/redis
    if [ -z "$PORTAL_REDIS" ]; then
        PORTAL_REDIS=$unpacked/redis-server
        if [ ! -x "$PORTAL_REDIS" ]; then
            have_apt || die "redis-server is needed for the tests and cannot be installed here."
            say "Unpacking a Redis server for the tests"
            unpack_redis || die "redis-server could not be installed."
        fi
    fi
    "$PORTAL_REDIS" --version >/dev/null || die "PORTAL_REDIS=$PORTAL_REDIS does not start."
    export PORTAL_REDIS
}

# Debian's server, unpacked into .cache/redis, also for root: installed, it would run as a service.
unpack_redis() {
    apt_unpack "$unpacked/root" redis-server || return
    libraries=$(find "$unpacked/root" -name '*.so*' -path '*-linux-gnu*' -printf '%h\n' | sort -u | paste -sd:)
    cat >"$unpacked/redis-server" <<END
#!/bin/sh
export LD_LIBRARY_PATH="$libraries\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
exec "$unpacked/root/usr/bin/redis-server" "\$@"
END
    chmod +x "$unpacked/redis-server"
}
