# An nginx for the tests behind a proxy; POSIX sh, sourced after common.sh.

# Sets PORTAL_NGINX to a working nginx; installs one if there is none.
find_nginx() {
    PORTAL_NGINX=${PORTAL_NGINX:-$(PATH="$PATH:/usr/sbin" command -v nginx || true)}
    unpacked=$PWD/.cache/nginx
    if [ -z "$PORTAL_NGINX" ]; then
        PORTAL_NGINX=$unpacked/nginx
        if [ ! -x "$PORTAL_NGINX" ]; then
            have_apt || die "nginx is needed for the tests and cannot be installed here."
            say "Unpacking an nginx for the tests"
            unpack_nginx || die "nginx could not be installed."
        fi
    fi
    "$PORTAL_NGINX" -v 2>/dev/null || die "PORTAL_NGINX=$PORTAL_NGINX does not start."
    export PORTAL_NGINX
}

# Debian's nginx, unpacked into .cache/nginx, also for root: installed, it would run as a service.
unpack_nginx() {
    apt_unpack "$unpacked/root" nginx || return
    libraries=$(find "$unpacked/root" -name '*.so*' -path '*-linux-gnu*' -printf '%h\n' | sort -u | paste -sd:)
    cat >"$unpacked/nginx" <<END
#!/bin/sh
export LD_LIBRARY_PATH="$libraries\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
exec "$unpacked/root/usr/sbin/nginx" "\$@"
END
    chmod +x "$unpacked/nginx"
}
