#!/bin/sh
# Builds the fuzz targets of tests/fuzz with clang, libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer, and runs one after
# another. Usage: tools/fuzz.sh [MINUTES [TARGET...]]   (2 minutes, all targets; 0: only builds)
# Debian: clang, libclang-rt-14-dev.
# What one run has learnt is kept in build-fuzz/corpus and the next starts from it. A finding is left in build-fuzz/found, and the
# exit code is 1; once mended it goes to tests/fuzz/seeds/TARGET/found-NAME, which every test run replays.
set -eu
cd "$(dirname "$0")/.."
minutes=${1:-2}
[ $# -eq 0 ] || shift
build=build-fuzz
targets=${*:-$(ls tests/fuzz/fuzz_*.c | sed 's|.*/fuzz_\(.*\)\.c|\1|')}

# The layers up to data sets need no back-end; libgomp's calls are linked, clang leaves its loops serial.
flags="-std=c11 -O1 -g -D_GNU_SOURCE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
    -Iinclude -Isrc -Itests/fuzz -I$build -fopenmp=libgomp $(pkg-config --cflags jansson libarchive libjpeg libwebp spng yaml-0.1)"
mkdir -p $build/objects $build/corpus $build/found
sed 's/__malloc__ (omp_free)/__malloc__/' "$(gcc -print-file-name=include)/omp.h" >$build/omp.h
rm -f $build/objects/*.o $build/library.a
# shellcheck disable=SC2086
find src/base src/tensor src/format src/image src/data -name '*.c' |
    xargs -P "$(nproc)" -I{} sh -c 'clang $0 -fsanitize=fuzzer-no-link -c {} -o '$build'/objects/$(basename {} .c).o' \
        "$(echo $flags)" || { echo "fuzz: the library does not compile"; exit 2; }
ar rcs $build/library.a $build/objects/*.o
for target in $targets; do
    # shellcheck disable=SC2086,SC2046
    clang $flags -fsanitize=fuzzer "tests/fuzz/fuzz_$target.c" $build/library.a -o "$build/fuzz_$target" \
        $(pkg-config --libs jansson libarchive libjpeg libwebp spng yaml-0.1 libxxhash zlib) -lm -lpthread
done

[ "$minutes" -gt 0 ] || exit 0

found=0
for target in $targets; do
    mkdir -p "$build/corpus/$target"
    echo "fuzz: $target, $minutes min"
    "$build/fuzz_$target" -max_total_time=$((minutes * 60)) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="$build/found/$target-" "$build/corpus/$target" "tests/fuzz/seeds/$target" \
        >"$build/$target.log" 2>&1 && sed -n 's/^stat::number_of_executed_units: */  inputs: /p' "$build/$target.log" ||
        { found=1; echo "  FOUND:"; grep -aE '^(fuzz:|SUMMARY|==[0-9]+==ERROR|Test unit)|runtime error' "$build/$target.log"; }
done
[ $found -eq 0 ] && echo "fuzz: nothing found"
exit $found
