#!/bin/sh
# Compiles every source of a build folder again with clang, syntax only, warnings as errors. Usage: tools/clang_warnings.sh BUILD
# Include folders and instruction sets are the build's own, from compile_commands.json.
set -u
build=$1
# gcc's omp.h, and nothing else of gcc's, without an attribute that clang does not know
mkdir -p "$build/clang"
sed 's/__malloc__ (omp_free)/__malloc__/' "$(gcc -print-file-name=include)/omp.h" >"$build/clang/omp.h"
flags="-fsyntax-only -Wall -Wextra -Wshadow -Wconversion -Werror -fopenmp=libgomp -isystem $PWD/$build/clang"
sed -n 's/^ *"command": "[^ ]* \(.*\)",$/\1/p' "$build/compile_commands.json" |
    sed -e 's/ -o [^ ]* / /' -e 's/ -c / /' -e 's/ -Werror / /' -e "s|^|cd $build \&\& clang $flags |" |
    tr '\n' '\0' | sed -z 's/\\\\*"/\\"/g' |
    xargs -0 -P "$(nproc)" -n 1 sh -c 'eval "$0"' || { echo "clang: warnings (above)"; exit 1; }
echo "clang: no warnings"
