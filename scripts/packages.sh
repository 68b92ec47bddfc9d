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
        apt-get install -y -qq --no-install-recommends --no-remove "$@" >&2 </dev/null ||
        fail "apt-get failed; please run as root: apt-get install $*"
}

# Whether PYTHON can make virtual environments that have pip.
python_makes_venvs() {
    "$1" -c 'import venv, ensurepip' 2>/dev/null
}

# Whether the compiler $1 makes programs with options $2...: headers, libraries and linker included.
compiles() {
    command -v "$1" >/dev/null || return 1
    local folder status=0
    folder=$(mktemp -d)
    printf '#include <stdint.h>\n#include <string.h>\nint main(void) { return (int)strlen(""); }\n' \
        >"$folder/probe.c"
    "$@" "$folder/probe.c" -o "$folder/probe" >/dev/null 2>&1 || status=1
    rm -rf "$folder"
    return $status
}

# Whether arm-none-eabi-gcc finds the C library of $1.specs. Firmware can do with either of picolibc
# and nano (newlib); the tests use both.
arm_c_library() {
    arm-none-eabi-gcc "--specs=$1.specs" -include string.h -E -x c /dev/null >/dev/null 2>&1
}

# Packages that are missing for task $1 (compile, test) with interpreter $2. What an installation
# reveals, such as libraries of a compiler that was not there, a second call tells.
missing_packages() {
    local task=$1 python=$2 missing=()
    if ! command -v "$python" >/dev/null || ! python_makes_venvs "$python"; then
        missing+=("$(basename "$python")-venv")
    fi
    compiles cc || missing+=(gcc libc6-dev)
    if [ "$task" = test ]; then
        compiles gcc || missing+=(gcc libc6-dev)
        command -v g++ >/dev/null || missing+=(g++)
        command -v make >/dev/null || missing+=(make)
        command -v cmake >/dev/null || missing+=(cmake)
        if ! compiles clang; then
            missing+=(clang)
        elif ! compiles clang -fsanitize=address,undefined; then
            missing+=(libclang-rt-dev)
        fi
        # 32-bit programs run here too. Not gcc-multilib: it conflicts with cross-compilers.
        if [ "$(uname -m)" = x86_64 ] && compiles gcc && ! compiles gcc -m32; then
            missing+=(libc6-dev-i386 "lib32gcc-$(gcc -dumpversion)-dev")
        fi
        if ! command -v arm-none-eabi-gcc >/dev/null; then
            missing+=(gcc-arm-none-eabi)
        fi
        arm_c_library picolibc || missing+=(picolibc-arm-none-eabi)
        arm_c_library nano || missing+=(libnewlib-arm-none-eabi)
        command -v qemu-system-arm >/dev/null || missing+=(qemu-system-arm)
    fi
    printf '%s\n' "${missing[@]}" | sort -u | tr '\n' ' '
}
