# Proves: synth writes class folders of images that inspect finds again; a seed changes images and nothing else; directories
# in use, read-only or full are refused with their codes and leave the right exit code.
. "$(dirname "$0")/harness.sh"

run synth shapes -o a --n 40 --json; want_code 0; want_json n 40; want_json dir '"a"'; want_json classes 10; want_no_err
[ "$(find a -name '*.png' | wc -l)" -eq 40 ] || fail "40 files wanted"
[ "$(find a -mindepth 1 -maxdepth 1 -type d | wc -l)" -eq 10 ] || fail "10 folders wanted"
run synth shapes -o b --n 40; want_code 0; want_out "classes  10"
diff -r a b >/dev/null || fail "equal seeds give equal files"
run synth shapes -o c --n 40 --seed 2; want_code 0
[ "$(cd a && find . | sort)" = "$(cd c && find . | sort)" ] || fail "another seed gives the same names"
diff -r a c >/dev/null && fail "another seed gives other images"

run inspect a --json; want_code 0; want_json kind '"folder"'; want_json n 40; want_json classes 10
want_json width '\[32, 32\]'; want_json bad 0; want_no_err
mean=$(grep -o '"mean": [^]]*' out)
run inspect synth:shapes,n=40 --json; want_code 0; want_json kind '"synth"'
[ "$mean" = "$(grep -o '"mean": [^]]*' out)" ] || fail "files and generated images have one mean"

run synth scenes -o scenes --n 30 --json; want_code 0; want_json n 30; want_json classes 10
run inspect scenes --json; want_code 0; want_json n 30; want_json classes 10
refused 2 "did you mean scenes?" synth scene -o d

refused 2 "a: not empty, an empty or new directory wanted" synth shapes -o a
echo x >file
refused 4 "file" synth shapes -o file
refused 4 "file" synth shapes -o file/under
if [ "$(id -u)" -ne 0 ]; then
    mkdir closed && chmod a-w closed
    refused 4 "closed" synth shapes -o closed/a
fi
refused 4 "/proc/nowhere" synth shapes -o /proc/nowhere
if mkdir full && mount -t tmpfs -o size=64k tmpfs full 2>/dev/null; then
    refused 4 "full/" synth shapes -o full/a --n 4000
    umount full
fi

# what is printed must arrive
run --version; "$protea" --version >/dev/full 2>err; code=$?; want_code 4; want_err "standard output"
"$protea" inspect a --json >/dev/full 2>err; code=$?; want_code 4; want_err "standard output"
"$protea" --help | true; code=${PIPESTATUS[0]}; [ "$code" -eq 0 ] || [ "$code" -eq 4 ] || fail "a closed pipe is no crash"
finish
