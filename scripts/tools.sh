# Sourced by the scripts beside it: finds the toolchains of this machine.

OLDEST_RUST=1.85
OLDEST_PYTHON=3.11

# Print the command of a Python that is new enough and can make virtual environments.
find_python() {
    local python
    for python in python3 /usr/bin/python3 python3.14 python3.13 python3.12 python3.11; do
        if "$python" -c "import ensurepip, sys, venv; sys.exit(sys.version_info < (${OLDEST_PYTHON/./, }))" 2>/dev/null; then
            printf '%s\n' "$python"
            return
        fi
    done
    return 1
}

# Print the folder of a Rust toolchain that is new enough: the one on the PATH, or where rustup and
# the distributions put theirs.
find_rust() {
    local folder version
    for folder in "$(dirname "$(command -v cargo)" 2>/dev/null)" "${HOME:-/root}/.cargo/bin" /usr/lib/rust-*/bin /usr/bin; do
        version=$(PATH="$folder:$PATH" "$folder/rustc" --version 2>/dev/null) || continue
        version=$(cut -d ' ' -f 2 <<<"$version")
        if [[ -x $folder/cargo ]] && at_least "$OLDEST_RUST" "$version"; then
            printf '%s\n' "$folder"
            return
        fi
    done
    return 1
}

# Tell whether version $2 is $1 or newer.
at_least() {
    [[ $(printf '%s\n%s\n' "$1" "$2" | sort --version-sort | head -n 1) == "$1" ]]
}
