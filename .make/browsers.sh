# Chromium, Firefox and WebKitGTK for `make test-browsers`; POSIX sh, sourced after common.sh.

packages="chromium chromium-driver firefox-esr webkit2gtk-driver xvfb"

# Sets PORTAL_BROWSERS to a folder with chromedriver, firefox-esr, WebKitWebDriver and Xvfb.
find_browsers() {
    unpacked=$PWD/.cache/browsers
    PORTAL_BROWSERS=/usr/bin
    export PORTAL_BROWSERS
    if browsers_work; then
        return
    fi
    PORTAL_BROWSERS=$unpacked/bin
    if browsers_work; then
        return
    fi
    say "Unpacking Chromium, Firefox and WebKitGTK for the tests (900 MB)"
    if have_apt && unpack_browsers && browsers_work; then
        return
    fi
    PORTAL_BROWSERS=/usr/bin
    if have_apt && can_be_root; then
        say "They do not run unpacked: installing them"
        apt_install $packages && browsers_work && return
    fi
    die "Three browsers and their drivers are needed: install the packages $packages."
}

browsers_work() {
    for program in firefox-esr WebKitWebDriver Xvfb; do
        [ -x "$PORTAL_BROWSERS/$program" ] || return 1
    done
    timeout 60 "$PORTAL_BROWSERS/chromedriver" --version >/dev/null 2>&1
}

# Debian's packages, unpacked into .cache/browsers, also for root: installed, they would replace the Chromium
# of other tests. WebKitGTK runs only from /usr, so the programs see what is unpacked there: the wrappers
# mount it over the machine's own folders, in a namespace of their own, which needs no root.
unpack_browsers() {
    unshare -Urm true 2>/dev/null || return
    rm -rf "$unpacked"
    apt_unpack "$unpacked/root" $packages || return
    mkdir "$unpacked/bin"
    for program in chromedriver firefox-esr WebKitWebDriver Xvfb; do
        cat >"$unpacked/bin/$program" <<END
#!/bin/sh
exec unshare -Urm sh -c '
    for folder in usr etc; do
        mount -t overlay overlay -o "lowerdir=$unpacked/root/\$folder:/\$folder" "/\$folder" || exit
    done
    exec "\$@"
' sh $program "\$@"
END
        chmod +x "$unpacked/bin/$program"
    done
}
