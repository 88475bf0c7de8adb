# System packages: what is missing, and how to get it. Sourced by ./effigy and ./check.
# shellcheck shell=bash disable=SC2034 # the lists are used by those who source this

say() { printf 'effigy: %s\n' "$*" >&2; }

# Debian's and Ubuntu's names of what a build needs: a C compiler, libav with headers, and
# libclang, through which the bindings to libav are made.
BUILD_PACKAGES=(gcc libc6-dev pkg-config libclang-dev
    libavcodec-dev libavformat-dev libavutil-dev libswscale-dev libswresample-dev)
# What finds a GPU when the program runs: the Vulkan loader and Mesa's drivers.
GPU_PACKAGES=(libvulkan1 mesa-vulkan-drivers)

# camera_package : prints the name of what reads cameras, of the version that programs are linked to. It is
# loaded when a camera is opened, and nothing is built with it.
camera_package() {
    local version
    version=$(pkg-config --modversion libavformat)
    printf 'libavdevice%s\n' "${version%%.*}"
}

# missing_packages NAME… : prints those that are not installed, one a line.
missing_packages() {
    local name status
    for name in "$@"; do
        status=$(dpkg-query --show --showformat='${Status}' "$name" 2>/dev/null) || status=
        case $status in
        *' installed') ;;
        *) printf '%s\n' "$name" ;;
        esac
    done
}

# install_packages NAME… : installs what is missing, as root or through sudo, and says so.
install_packages() {
    local missing said as_root=()
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            say "these system packages are missing: ${missing[*]}"
            say "as root, run: apt-get update && apt-get install ${missing[*]}"
            return 1
        fi
        as_root=(sudo)
    fi
    say "installing the system packages ${missing[*]}${as_root[*]:+ (sudo may ask for your password)}"
    "${as_root[@]}" apt-get update -qq >&2 || say "apt-get update failed; trying with the lists at hand"
    said=$("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" 2>&1) || {
        printf '%s\n' "$said" >&2
        say "apt-get could not install: ${missing[*]}"
        return 1
    }
}

# On systems without apt nothing is installed: the packages are named, unless they are there.
require_elsewhere() {
    local missing=() name
    command -v cc >/dev/null || missing+=('a C compiler')
    if command -v pkg-config >/dev/null; then
        for name in libavcodec libavformat libavutil libswscale libswresample; do
            pkg-config --exists "$name" || missing+=("$name with its headers (FFmpeg)")
        done
    else
        missing+=(pkg-config 'FFmpeg with its headers')
    fi
    has_libclang || missing+=('libclang (LLVM)')
    [ ${#missing[@]} -eq 0 ] && return 0
    say 'packages are installed by this script on Debian and Ubuntu only; missing here:'
    printf '  %s\n' "${missing[@]}" >&2
    say 'Fedora: dnf install gcc pkgconf ffmpeg-free-devel clang-devel'
    say 'Arch:   pacman -S gcc pkgconf ffmpeg clang'
    say 'macOS:  xcode-select --install; brew install pkgconf ffmpeg llvm'
    say 'install them, then run this again'
    return 1
}

has_libclang() {
    [ -n "${LIBCLANG_PATH:-}" ] || command -v llvm-config >/dev/null ||
        compgen -G '/usr/lib*/libclang*.so*' >/dev/null ||
        compgen -G '/usr/lib/llvm*/lib/libclang*.so*' >/dev/null ||
        compgen -G '/opt/homebrew/opt/llvm/lib/libclang*.dylib' >/dev/null ||
        compgen -G '/Library/Developer/CommandLineTools/usr/lib/libclang*.dylib' >/dev/null
}

# require_packages NAME… : has them installed, or says what to do and fails.
require_packages() {
    if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
        install_packages "$@"
    else
        require_elsewhere
    fi
}

# Fails, saying how to get it, unless Rust is there and new enough for this workspace.
require_rust() {
    local needed found
    command -v cargo >/dev/null || PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    if ! command -v cargo >/dev/null || ! found=$(rustc --version 2>/dev/null); then
        say "Rust is missing (version $needed or newer is needed)"
        say "get it from https://rustup.rs:  curl --proto '=https' -sSf https://sh.rustup.rs | sh"
        say 'then run this again'
        return 1
    fi
    found=${found#rustc }
    found=${found%%[ -]*}
    if [ "$(printf '%s\n' "$needed" "$found" | sort -V | head -n 1)" != "$needed" ]; then
        say "Rust $found is too old: version $needed or newer is needed"
        say 'run: rustup update stable    (without rustup: see https://rustup.rs)'
        return 1
    fi
}
