# Sourced: what Debian or Ubuntu must have, installed through apt or named.

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 2
}

# Install the Debian packages named, as root or through sudo; where neither is possible, say so.
apt_install() {
    local as_root=()
    command -v apt-get >/dev/null || fail "please install the equivalents of: $*"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "please run as root: apt-get install $*"
        as_root=(sudo)
        # Nobody is there to type a password.
        [ -t 0 ] || as_root+=(-n)
    fi
    printf 'installing through apt: %s\n' "$*" >&2
    "${as_root[@]}" apt-get update -qq >&2 ||
        printf 'warning: apt-get update failed, going on with the old lists\n' >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >&2 </dev/null ||
        fail "apt-get failed; please run as root: apt-get install $*"
}

# Whether PYTHON can make virtual environments that have pip.
python_makes_venvs() {
    "$1" -c 'import venv, ensurepip' 2>/dev/null
}

# Whether the compiler command $1 makes programs: headers and linker included.
compiles() {
    command -v "$1" >/dev/null || return 1
    local folder status=0
    folder=$(mktemp -d)
    printf '#include <stdint.h>\n#include <string.h>\nint main(void) { return (int)strlen(""); }\n' \
        >"$folder/probe.c"
    "$1" "$folder/probe.c" -o "$folder/probe" >/dev/null 2>&1 || status=1
    rm -rf "$folder"
    return $status
}

# Whether arm-none-eabi-gcc finds a C library, under either of the names that simulate tries.
arm_c_library() {
    local name
    for name in picolibc nano; do
        printf '#include <string.h>\n' |
            arm-none-eabi-gcc "--specs=$name.specs" -E -x c - >/dev/null 2>&1 && return 0
    done
    return 1
}

# Packages that are missing for task $1 (python, compile, test) with interpreter $2.
missing_packages() {
    local task=$1 python=$2 missing=()
    if ! command -v "$python" >/dev/null || ! python_makes_venvs "$python"; then
        missing+=("$(basename "$python")-venv")
    fi
    if [ "$task" != python ]; then
        compiles "${CC:-cc}" || missing+=(gcc libc6-dev)
    fi
    if [ "$task" = test ]; then
        compiles gcc || missing+=(gcc libc6-dev)
        compiles clang || missing+=(clang)
        command -v make >/dev/null || missing+=(make)
        command -v cmake >/dev/null || missing+=(cmake)
        command -v arm-none-eabi-gcc >/dev/null || missing+=(gcc-arm-none-eabi)
        arm_c_library || missing+=(picolibc-arm-none-eabi)
        command -v qemu-system-arm >/dev/null || missing+=(qemu-system-arm)
    fi
    printf '%s\n' "${missing[@]}" | sort -u | tr '\n' ' '
}
