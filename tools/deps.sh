#!/bin/sh
# Installs the Debian packages that are missing. Usage: tools/deps.sh build|ci
# With nothing missing it only asks dpkg and is done in milliseconds.
set -eu

# package, then why it is needed
packages()
{
    cat <<'LIST'
gcc                  compiler, with OpenMP
libc6-dev            C library headers
cmake                build description
ninja-build          build tool
pkg-config           finds the libraries below
libdnnl-dev          oneDNN: convolution, matrix products
libjpeg62-turbo-dev  JPEG
libspng-dev          PNG
libwebp-dev          WebP
zlib1g-dev           used by libspng and libarchive; checksums in a fuzz target
libarchive-dev       tar, gz, xz, zst
libyaml-dev          recipes and config files
libjansson-dev       JSON
libxxhash-dev        checksums of checkpoints
libcmocka-dev        tests
LIST
    [ "$1" = build ] || echo "clang  second compiler for the warnings of CI
libclang-rt-14-dev  libFuzzer: CI builds the fuzz targets"
}

command -v dpkg-query >/dev/null || exit 0 # not a Debian: CMake will say what it does not find

missing=
for package in $(packages "${1:-build}" | cut -d' ' -f1); do
    case $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true) in
    installed*) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

line="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    as_root=sudo
else
    echo "These packages are missing; as root, run:" >&2
    echo "  $line" >&2
    exit 1
fi

echo "installing:$missing"
install()
{
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive $line -qq -o Dpkg::Use-Pty=0 </dev/null
}
# Package lists may be absent (a fresh container) or out of date: fetch them only then.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! install >"$log" 2>&1; then
    $as_root apt-get update -qq || true # one unreachable source need not matter
    install >"$log" 2>&1 || { cat "$log" >&2; echo "could not install; as root, run:" >&2; echo "  $line" >&2; exit 1; }
fi
