#!/bin/sh
# Runs the tests of a build folder and sums them up. Usage: tools/run_tests.sh BUILD check|quick|long
# The last line is `N passed, N failed`, counting test programs; skipped cases are listed before it.
set -eu
build=$1
case $2 in
check) choose="-LE long" ;;
quick) choose="-L unit|kernel|grad|fault|cli -LE long|avx2" ;;
long) choose="-L long" ;;
*) echo "usage: $0 BUILD check|quick|long" >&2; exit 2 ;;
esac

result=$build/tests.xml
rm -f "$result"
status=0
# Two at a time with one compute thread each, unless a test asks for more: two that share two cores with others wait for each
# other most of the time.
# shellcheck disable=SC2086
ctest --test-dir "$build" $choose --output-on-failure --no-tests=error --timeout 900 --parallel 2 --output-junit tests.xml </dev/null || status=$?
[ -s "$result" ] || { echo "0 passed, 1 failed"; exit 1; }

grep -o '\[  SKIPPED \] [A-Za-z0-9_]*$' "$build/Testing/Temporary/LastTest.log" | sort -u | sed 's/.*\] /skipped: /' || true
count() { sed -n "s/.*[^a-z]$1=\"\([0-9]*\)\".*/\1/p" "$result" | head -n 1; }
total=$(count tests)
failed=$(count failures)
echo "$((total - failed)) passed, $failed failed"
exit "$status"
