# Sourced by the other scripts: finds the checkout ($root) and makes sure that $python can run the program.
# When nothing has to be done, this costs one cksum.

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
python=$root/.venv/bin/python

find_python() {
    local name
    for name in python3.11 python3.12 python3.13 python3.14 python3 python; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            printf '%s\n' "$name"
            return
        fi
    done
    echo "multidb-chat: Python 3.11 or newer with venv and pip is needed and none was found on the PATH" \
        "(Debian and Ubuntu: apt install python3 python3-venv)" >&2
    return 1
}

# prepare LOCKFILE: after it, $python has what the lock file in the checkout's root lists.
prepare() {
    local lock=$1 stamp= base
    if [ -x "$python" ] && [ -r "$root/.venv/.installed-$lock" ]; then
        IFS= read -r stamp <"$root/.venv/.installed-$lock" || true
        if [ "$stamp" = "$(cksum <"$root/$lock")" ]; then
            return
        fi
    fi
    base=$(find_python) || exit 1
    "$base" -I "$root/scripts/environment.py" "$root" "$lock" "$(cksum <"$root/$lock")" || exit $?
}
