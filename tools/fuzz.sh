#!/bin/sh
# Builds the fuzz targets of tests/fuzz with clang, libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer, and runs
# FUZZ_JOBS of them at a time. Usage: [FUZZ_JOBS=1] tools/fuzz.sh [MINUTES [TARGET...]]   (2 minutes, all targets; 0: only builds)
# Debian: clang, libclang-rt-14-dev.
# What one run has learnt is kept in build-fuzz/corpus and the next starts from it. A finding is left in build-fuzz/found, and the
# exit code is 1; once mended it goes to tests/fuzz/seeds/TARGET/found-NAME, which every test run replays.
set -eu
cd "$(dirname "$0")/.."
build=build-fuzz

# compile SOURCE FLAGS...: as src/backend/cpu/isa.cmake has it, simd_*.c once per instruction set, and nothing contracted.
compile() {
    source=$1 object=$build/objects/$(basename "$1" .c)
    shift
    set -- "$@" -fsanitize=fuzzer-no-link -ffp-contract=off -c "$source" -o
    case $source in
    */simd_*)
        clang -DPROTEA_LANES=4 -DPROTEA_SUFFIX=base "$@" "$object-base.o"
        clang -DPROTEA_LANES=8 -DPROTEA_SUFFIX=avx2 -mavx2 -mfma "$@" "$object-avx2.o"
        clang -DPROTEA_LANES=16 -DPROTEA_SUFFIX=avx512 -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma "$@" "$object-avx512.o"
        ;;
    *) clang "$@" "$object.o" ;;
    esac
}

# fuzz SECONDS TARGET
fuzz() {
    mkdir -p "$build/corpus/$2"
    if "$build/fuzz_$2" -max_total_time="$1" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="$build/found/$2-" "$build/corpus/$2" "tests/fuzz/seeds/$2" >"$build/$2.log" 2>&1; then
        sed -n "s/^stat::number_of_executed_units: */fuzz: $2: nothing found in $1 s, inputs: /p" "$build/$2.log"
    else
        echo "fuzz: $2: FOUND:"
        grep -aE '^(fuzz:|SUMMARY|==[0-9]+==ERROR|Test unit)|runtime error' "$build/$2.log"
        exit 1
    fi
}

case ${1:-} in # calls itself for what runs in parallel
compile | fuzz) "$@"; exit ;;
esac

minutes=${1:-2}
[ $# -eq 0 ] || shift
targets=${*:-$(ls tests/fuzz/fuzz_*.c | sed 's|.*/fuzz_\(.*\)\.c|\1|')}

# The layers up to data sets need no back-end; libgomp's calls are linked, clang leaves its loops serial.
flags="-std=c11 -O1 -g -D_GNU_SOURCE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
    -Iinclude -Isrc -Itests/fuzz -I$build -fopenmp=libgomp $(pkg-config --cflags jansson libarchive libjpeg libwebp spng yaml-0.1)"
mkdir -p $build/objects $build/corpus $build/found
sed 's/__malloc__ (omp_free)/__malloc__/' "$(gcc -print-file-name=include)/omp.h" >$build/omp.h
rm -f $build/objects/*.o $build/library.a
# shellcheck disable=SC2086
find src/base src/tensor src/format src/image src/data -name '*.c' | xargs -P "$(nproc)" -I{} tools/fuzz.sh compile {} $flags ||
    { echo "fuzz: the library does not compile"; exit 2; }
ar rcs $build/library.a $build/objects/*.o
for target in $targets; do
    # shellcheck disable=SC2086,SC2046
    clang $flags -fsanitize=fuzzer "tests/fuzz/fuzz_$target.c" $build/library.a -o "$build/fuzz_$target" \
        $(pkg-config --libs jansson libarchive libjpeg libwebp spng yaml-0.1 libxxhash zlib) -lm -lpthread
done

[ "$minutes" -eq 0 ] || echo "$targets" | xargs -n1 -P "${FUZZ_JOBS:-1}" tools/fuzz.sh fuzz $((minutes * 60)) || exit 1
