#!/bin/sh
# Installs a build into an empty folder and builds an example against what lies there, as a user would.
# Usage: tools/check_install.sh BUILD
set -eu
build=$1
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
cmake --install "$build" --prefix "$root" >/dev/null
library=$(dirname "$(find "$root" -name libprotea.so)")
flags=$(PKG_CONFIG_PATH=$library/pkgconfig pkg-config --define-prefix --cflags --libs protea)
for example in examples/*.c; do
    [ "$(wc -l <"$example")" -lt 100 ] || { echo "install: $example has 100 lines or more"; exit 1; }
    # shellcheck disable=SC2086
    gcc -std=c11 "$example" $flags -o "$root/$(basename "$example" .c)"
done
# shellcheck disable=SC2086
clang -std=c++11 -x c++ - -x none $flags -o "$root/from_c++" <<'SOURCE'
#include <protea/protea.h>
int main(void) { return protea_version()[0] == 0; }
SOURCE
LD_LIBRARY_PATH=$library "$root/from_c++" || { echo "install: a C++ program cannot call the library"; exit 1; }
[ -e "$library/libprotea.so.0" ] || { echo "install: no soname libprotea.so.0"; exit 1; }
status=0
LD_LIBRARY_PATH=$library "$root/train_swav" 2>/dev/null || status=$?
[ "$status" = 2 ] || { echo "install: the example ended with $status, 2 (usage) wanted"; exit 1; }
mkdir "$root/cmake"
cat >"$root/cmake/CMakeLists.txt" <<LISTS
cmake_minimum_required(VERSION 3.13)
project(user C)
find_package(Protea 0.1 REQUIRED)
add_executable(example $PWD/examples/train_swav.c)
target_link_libraries(example Protea::protea)
LISTS
cmake -S "$root/cmake" -B "$root/cmake/build" -DCMAKE_PREFIX_PATH="$root" >/dev/null
cmake --build "$root/cmake/build" >/dev/null
[ -x "$root/cmake/build/example" ] || { echo "install: find_package(Protea) builds nothing"; exit 1; }
"$root/bin/protea" --version
for page in protea.1 protea-train.1 protea-embed.1; do
    grep -q '^\.SH EXIT STATUS' "$root/share/man/man1/$page" || { echo "install: no good $page"; exit 1; }
done
words=$(bash -c '. "$1"; COMP_WORDS=(protea train swav --nmb-p) COMP_CWORD=3; _protea; echo "${COMPREPLY[*]}"' _ \
    "$root/share/bash-completion/completions/protea")
[ "$words" = "--nmb-prototypes" ] || { echo "install: --nmb-p is completed to '$words'"; exit 1; }
echo "install: good"
