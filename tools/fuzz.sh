#!/bin/sh
# Builds the fuzz targets of tests/fuzz with clang, libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer, and runs
# FUZZ_JOBS of them at a time. Usage: [FUZZ_JOBS=1] tools/fuzz.sh [MINUTES [TARGET...]]   (2 minutes, all targets; 0: only builds)
# Debian: clang, libclang-rt-14-dev.
# What one run has learnt is kept in build-fuzz/corpus and the next starts from it. A finding is left in build-fuzz/found, and the
# exit code is 1; once mended it goes to tests/fuzz/seeds/TARGET/found-NAME, which every test run replays.
set -eu
cd "$(dirname "$0")/.."
minutes=${1:-2}
jobs=${FUZZ_JOBS:-1}
[ $# -eq 0 ] || shift
build=build-fuzz
targets=${*:-$(ls tests/fuzz/fuzz_*.c | sed 's|.*/fuzz_\(.*\)\.c|\1|')}

# The layers up to data sets need no back-end; libgomp's calls are linked, clang leaves its loops serial.
flags="-std=c11 -O1 -g -D_GNU_SOURCE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
    -Iinclude -Isrc -Itests/fuzz -I$build -fopenmp=libgomp $(pkg-config --cflags jansson libarchive libjpeg libwebp spng yaml-0.1)"
mkdir -p $build/objects $build/corpus $build/found
sed 's/__malloc__ (omp_free)/__malloc__/' "$(gcc -print-file-name=include)/omp.h" >$build/omp.h
rm -f $build/objects/*.o $build/library.a
# As src/backend/cpu/isa.cmake has it: simd_*.c once per instruction set, nothing contracted where bytes are others' too.
cat >$build/compile.sh <<'EOF'
source=$1
shift
object=build-fuzz/objects/$(basename "$source" .c)
flags="-fsanitize=fuzzer-no-link -ffp-contract=off -c $source"
case $source in
*/simd_*)
    clang "$@" $flags -DPROTEA_LANES=4 -DPROTEA_SUFFIX=base -o "$object-base.o" &&
        clang "$@" $flags -DPROTEA_LANES=8 -DPROTEA_SUFFIX=avx2 -mavx2 -mfma -o "$object-avx2.o" &&
        clang "$@" $flags -DPROTEA_LANES=16 -DPROTEA_SUFFIX=avx512 -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma \
            -o "$object-avx512.o" ;;
*) clang "$@" $flags -o "$object.o" ;;
esac
EOF
# shellcheck disable=SC2086
find src/base src/tensor src/format src/image src/data -name '*.c' |
    xargs -P "$(nproc)" -I{} sh $build/compile.sh {} $flags || { echo "fuzz: the library does not compile"; exit 2; }
ar rcs $build/library.a $build/objects/*.o
for target in $targets; do
    # shellcheck disable=SC2086,SC2046
    clang $flags -fsanitize=fuzzer "tests/fuzz/fuzz_$target.c" $build/library.a -o "$build/fuzz_$target" \
        $(pkg-config --libs jansson libarchive libjpeg libwebp spng yaml-0.1 libxxhash zlib) -lm -lpthread
done

[ "$minutes" -gt 0 ] || exit 0

# Two arguments: a target, seconds.
cat >$build/one.sh <<'EOF'
cd "$(dirname "$0")"
mkdir -p "corpus/$1"
if "./fuzz_$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="found/$1-" "corpus/$1" "../tests/fuzz/seeds/$1" >"$1.log" 2>&1; then
    sed -n "s/^stat::number_of_executed_units: */fuzz: $1: nothing found in $2 s, inputs: /p" "$1.log"
else
    echo "fuzz: $1: FOUND:"
    grep -aE '^(fuzz:|SUMMARY|==[0-9]+==ERROR|Test unit)|runtime error' "$1.log"
    exit 1
fi
EOF
# shellcheck disable=SC2086
echo $targets | xargs -n1 -P "$jobs" sh -c 'sh "$0" "$2" "$1"' $build/one.sh $((minutes * 60)) || exit 1
