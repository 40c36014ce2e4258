# Chromium for the browser tests, and its driver; POSIX sh, sourced after common.sh and python.sh.

# Playwright drives the browser with its own Node.js, which needs a library that may be missing.
find_driver() {
    unpacked=$PWD/.cache/libatomic
    library=$(find "$unpacked" -name 'libatomic.so.1' -printf '%h\n' 2>/dev/null | head -n 1)
    if [ -n "$library" ]; then
        export LD_LIBRARY_PATH="$library${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    fi
    node=$(echo .venv/lib/python3*/site-packages/playwright/driver/node)
    if "$node" --version >/dev/null 2>&1; then
        return
    fi
    if [ -n "$library" ] || ! have_apt; then
        die "Playwright does not run here: $("$node" --version 2>&1)"
    fi
    say "Installing the library libatomic1 for Playwright"
    if can_be_root; then
        apt_install libatomic1
    else
        apt_unpack "$unpacked" libatomic1
    fi || die "The library libatomic1 could not be installed."
    "$node" --version >/dev/null 2>&1 || find_driver
}

# Sets PORTAL_CHROMIUM to a working browser; installs one if there is none.
find_browser() {
    if [ -n "${PORTAL_CHROMIUM:-}" ]; then
        works "$PORTAL_CHROMIUM" || die "PORTAL_CHROMIUM=$PORTAL_CHROMIUM does not start."
        return
    fi
    if installed_browser; then
        return
    fi
    say "Installing a browser for the browser tests"
    install_browser
    installed_browser || die "No browser could be installed: install the package chromium," \
        "or name a Chromium or Chrome by PORTAL_CHROMIUM."
}

works() {
    # Ubuntu's chromium-browser is only a stub that asks for a snap.
    timeout 20 "$1" --version >/dev/null 2>&1
}

installed_browser() {
    for candidate in chromium chromium-browser google-chrome google-chrome-stable \
        "$PWD/.cache/browser/chromium" "$PWD"/.cache/playwright/chromium-*/chrome-linux*/chrome; do
        if path=$(command -v "$candidate") && works "$path"; then
            PORTAL_CHROMIUM=$path
            export PORTAL_CHROMIUM
            return
        fi
    done
    return 1
}

install_browser() {
    # Ubuntu has Chromium only as a snap; use Playwright's own build.
    if have_apt && ! grep -q '^ID=ubuntu' /etc/os-release; then
        if can_be_root; then
            apt_install chromium fonts-liberation && return
        else
            unpack_browser && return
        fi
    fi
    export PLAYWRIGHT_BROWSERS_PATH="$PWD/.cache/playwright"
    if can_be_root; then
        as_root env DEBIAN_FRONTEND=noninteractive PLAYWRIGHT_BROWSERS_PATH="$PLAYWRIGHT_BROWSERS_PATH" \
            .venv/bin/playwright install-deps chromium >/dev/null || say "Some libraries of the browser are missing"
    fi
    .venv/bin/playwright install chromium || say "Playwright's browser could not be fetched"
}

# Debian's Chromium, unpacked into .cache/browser: for users who may not install packages.
unpack_browser() {
    browser=$PWD/.cache/browser
    rm -rf "$browser"
    apt_unpack "$browser/root" chromium fonts-liberation || return
    write_fonts_conf >"$browser/fonts.conf"
    libraries=$(find "$browser/root" -name '*.so*' -path '*-linux-gnu*' -printf '%h\n' | sort -u | paste -sd:)
    cat >"$browser/chromium" <<END
#!/bin/sh
export LD_LIBRARY_PATH="$libraries\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
export FONTCONFIG_FILE="$browser/fonts.conf"
exec "$browser/root/usr/lib/chromium/chromium" "\$@"
END
    chmod +x "$browser/chromium"
}

write_fonts_conf() {
    echo '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">'
    echo "<fontconfig>"
    echo "<dir>$browser/root/usr/share/fonts</dir><dir>/usr/share/fonts</dir><cachedir>$browser/fonts</cachedir>"
    while read -r family font; do
        echo "<alias><family>$family</family><prefer><family>$font</family></prefer></alias>"
    done <<END
sans-serif Liberation Sans
system-ui Liberation Sans
serif Liberation Serif
monospace Liberation Mono
END
    echo "</fontconfig>"
}
