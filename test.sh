#!/usr/bin/env bash
# Installs what the tests need (Debian and its kin) and runs all of them.
#
#     ./test.sh            everything, in the order that finds mistakes soonest
#
# Packages of the system come by apt, only those that are missing; those of npm and PyPI go into
# /.test in this folder, at the versions that the lock files name. Nothing else is changed outside
# of this folder, and nothing is left running. The first part that fails ends it.

set -euo pipefail
cd "$(dirname "$0")"

STATE=.test
LOG=$STATE/cargo-test.log
PARTS=()
NOW=

if [ "${CI:-}" = true ] || [ ! -t 1 ]; then
    exec </dev/null
    export CARGO_TERM_COLOR=never CARGO_TERM_PROGRESS_WHEN=never NO_COLOR=1
    BOLD='' PLAIN=''
else
    BOLD=$(printf '\033[1m') PLAIN=$(printf '\033[0m')
fi

main() {
    mkdir -p "$STATE"
    : >"$LOG"
    SECONDS=0

    part "programs of the system" install_system
    part "packages of npm" install_node
    part "packages of PyPI" install_python
    part "formatting" cargo fmt --all --check
    part "lints" cargo clippy --workspace --all-targets -- -D warnings
    part "lints of what tests compile in" \
        cargo clippy -p authbroker --features fault-points,fuzzing --all-targets -- -D warnings
    part "tests" tested cargo test --workspace
    part "tests with other people's parts" tested cargo test --workspace --lib --bins --tests -- --ignored
    part "documentation" env RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps
    part "the demo" cargo demo -- --headless
    # Last of those that need the programs, because it builds them with places to die at.
    part "tests that kill the daemon" tested cargo test -p authbroker --features fault-points --test crash
    if cargo +nightly --version >/dev/null 2>&1; then
        part "fuzzing" fuzz
    else
        skip "fuzzing" "the nightly compiler is not installed"
    fi
    if command -v cargo-deny >/dev/null; then
        # Offline: the advisories cannot be fetched everywhere.
        part "licences, sources and duplicates" cargo deny --offline check \
            -D unmatched-skip -D license-not-encountered bans licenses sources
    else
        skip "licences, sources and duplicates" "cargo-deny is not installed"
    fi
    summary
}

# part NAME COMMAND…: runs one part under a heading, and takes note of how long it took.
part() {
    local begun=$SECONDS
    NOW=$1
    shift
    printf '\n%s=== %s%s\n' "$BOLD" "$NOW" "$PLAIN"
    # Not in a condition, where a shell goes on after what fails within.
    "$@"
    PARTS+=("$(printf '%12s  %s' "$(duration $((SECONDS - begun)))" "$NOW")")
    NOW=
}

# What ended the script, if a part did.
at_the_end() {
    if [ -n "$NOW" ]; then printf '\n%sFAILED: %s%s\n' "$BOLD" "$NOW" "$PLAIN" >&2; fi
}
trap at_the_end EXIT

skip() {
    printf '\n%s=== %s%s\nskipped: %s\n' "$BOLD" "$1" "$PLAIN" "$2"
    PARTS+=("$(printf '%12s  %s: %s' skipped "$1" "$2")")
}

duration() {
    if [ "$1" -lt 60 ]; then printf '%d s' "$1"; else printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); fi
}

# Ten seconds for each target, from its seeds. Safe code needs no sanitizer.
fuzz() {
    local target known here=$PWD/$STATE/cargo/bin
    if [ ! -x "$here/cargo-fuzz" ]; then
        cargo install --quiet --locked --root "$STATE/cargo" cargo-fuzz
    fi
    cargo fmt --check --manifest-path broker/fuzz/Cargo.toml
    cd broker
    for target in fuzz/fuzz_targets/*.rs; do
        target=$(basename "$target" .rs)
        known=fuzz/corpus/$target
        mkdir -p "$known"
        PATH="$here:$PATH" cargo +nightly fuzz run --sanitizer none --dev "$target" "$known" "fuzz/seeds/$target" -- \
            -max_total_time=10 -rss_limit_mb=1024 -print_final_stats=1 2>"../$STATE/fuzz-$target.log" ||
            { tail -n 30 "../$STATE/fuzz-$target.log" >&2 && return 1; }
        printf '%-14s %s\n' "$target" "$(grep -m 1 'Done ' "../$STATE/fuzz-$target.log")"
    done
    cd ..
}

# tested COMMAND…: runs tests and keeps what they say, for the summary.
tested() {
    "$@" 2>&1 | tee -a "$LOG"
}

summary() {
    printf '\n%s=== all good%s, in %s\n' "$BOLD" "$PLAIN" "$(duration "$SECONDS")"
    printf '%s\n' "${PARTS[@]}"
    sed -n 's/^test result: ok\. \([0-9]*\) passed; \([0-9]*\) failed.*/\1 \2/p' "$LOG" |
        awk '{ passed += $1; failed += $2 } END { printf "%d passed, %d failed\n", passed, failed }'
}

# --- what the tests need

# Programs, by the package that has them.
PROGRAMS="
    cc:gcc ld:libc6-dev
    dbus-daemon:dbus busctl:systemd systemd-analyze:systemd systemd-socket-activate:systemd
    ip:iproute2
    bash:bash zsh:zsh fish:fish tmux:tmux man:man-db
    git:git kubectl:kubernetes-client skopeo:skopeo
    gdbus:libglib2.0-bin dbus-monitor:dbus-bin gnome-keyring-daemon:gnome-keyring
    unshare:util-linux nsenter:util-linux setpriv:util-linux mount:mount
    bwrap:bubblewrap xdg-dbus-proxy:xdg-dbus-proxy python3:python3
    node:nodejs npm:npm chromium:chromium redis-server:redis-server
    Xvfb:xvfb xdotool:xdotool import:imagemagick
"
# Packages without a program of their own: what the window loads when it runs, and Python's venv.
LIBRARIES="
    ca-certificates python3-venv at-spi2-core
    libgl1 libegl1 libgl1-mesa-dri libxkbcommon0 libxkbcommon-x11-0 libx11-xcb1 libxcursor1 libxi6 libxrandr2
"

install_system() {
    local missing
    missing=$(missing_packages)
    if [ -z "$missing" ]; then
        echo "all there"
        return
    fi
    echo "missing: $missing"
    local as_root=()
    if [ "$(id -u)" != 0 ]; then as_root=(sudo --non-interactive); fi
    if ! command -v apt-get >/dev/null || { [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; }; then
        echo "Install these packages first (their names are Debian's): $missing" >&2
        return 1
    fi
    # shellcheck disable=SC2086 # a list of words
    if ! {
        "${as_root[@]}" apt-get update &&
            "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
                apt-get install -y --no-install-recommends $missing
    } >$STATE/apt.log 2>&1; then
        tail -n 20 $STATE/apt.log >&2
        return 1
    fi
    missing=$(missing_packages)
    if [ -n "$missing" ]; then
        echo "still missing: $missing" >&2
        return 1
    fi
}

missing_packages() {
    local entry missing=()
    for entry in $PROGRAMS; do
        command -v "${entry%%:*}" >/dev/null || missing+=("${entry#*:}")
    done
    if command -v dpkg-query >/dev/null; then
        for entry in $LIBRARIES; do
            dpkg-query --show --showformat='${db:Status-Status}' "$entry" 2>/dev/null | grep -qx installed ||
                missing+=("$entry")
        done
    fi
    printf '%s\n' "${missing[@]}" | sort -u | paste -sd ' ' -
}

install_node() {
    local wanted=broker/tests/real/node here=$STATE/node
    if cmp -s $wanted/package-lock.json $here/installed; then
        echo "up to date"
    else
        mkdir -p $here
        cp $wanted/package.json $wanted/package-lock.json $here/
        npm ci --prefix $here --cache $here/cache --ignore-scripts --no-audit --no-fund
        cp $wanted/package-lock.json $here/installed
    fi
    if ! node_is_new; then newer_node; fi
}

# Whether the Node.js found first is new enough for the packages.
node_is_new() {
    node -e 'process.exit(+process.versions.node.split(".")[0] >= 20 ? 0 : 1)'
}

# Puts the Node.js that npm's registry carries before an older one, as Debian 12 has it.
newer_node() {
    local machine here=$STATE/newer-node
    case $(uname -m) in
        x86_64) machine=linux-x64 ;;
        aarch64) machine=linux-arm64 ;;
        *) echo "The tests need Node.js 20 or newer; this is $(node --version)." >&2 && return 1 ;;
    esac
    local bin=$here/node_modules/node-$machine/bin
    if [ ! -x "$bin/node" ]; then
        mkdir -p $here
        npm install --prefix $here --cache $STATE/node/cache --no-save --ignore-scripts --no-audit --no-fund \
            "node-$machine@22.23.3"
    fi
    export PATH="$PWD/$bin:$PATH"
    echo "with Node.js $(node --version)"
    node_is_new
}

install_python() {
    local wanted=(broker/tests/real/python/requirements.txt api/tests/python/requirements.txt)
    local here=$STATE/python
    if cat "${wanted[@]}" | cmp -s - $here/installed; then
        echo "up to date"
        return
    fi
    # The system's Python: one that somebody put before it in PATH may lack what venv needs.
    local python=python3
    if [ -x /usr/bin/python3 ]; then python=/usr/bin/python3; fi
    $python -m venv --clear $here
    $here/bin/pip install --quiet --disable-pip-version-check --no-cache-dir --require-hashes \
        "${wanted[@]/#/--requirement=}"
    cat "${wanted[@]}" >$here/installed
}

main
