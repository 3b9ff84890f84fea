# Proves: what cannot be is refused with exit code 2, in one line that names the nearest verb, kind or option; --help and
# --version answer everywhere; nothing exits 0 after a failure.
. "$(dirname "$0")/harness.sh"

run; want_code 0; want_out "usage:"; want_out "protea inspect PATH"; want_no_err
run --help; want_code 0; want_out "exit codes:"
run --version; want_code 0; want_out "protea 0."; want_no_err
run help synth; want_code 0; want_out "usage: protea synth NAME -o DIR"
run synth --help; want_code 0; want_out "shapes"; want_out "(default 5000; 1..100000000 images)"; want_no_err
run synth shapes --help; want_code 0; want_out "usage: protea synth shapes -o DIR"
run eval knn --help; want_code 0; want_out "--temperature N [N...]"; want_out "Wu et al. 2018"

run --manual; want_code 0; want_out '.TH "PROTEA" 1'; want_out "protea train METHOD"; want_no_err
run --manual train; want_code 0; want_out ".SH OPTIONS OF SWAV"; want_out "nmb"; want_no_err
run --completion fish; want_code 0; want_out "complete -c protea"; want_no_err
refused 2 "trian: no such verb; did you mean train?" --manual trian
refused 2 "--completion: csh found, bash, zsh or fish wanted" --completion csh

refused 2 "insepct: no such verb; did you mean inspect?" insepct x
refused 2 "xyzzy: no such verb" xyzzy
refused 2 "no verb found" --json
refused 2 "synth: no NAME found; see protea synth --help" synth -o x
refused 2 "synth shaeps: no such NAME; did you mean shapes?" synth shaeps -o x
refused 2 "did you mean shapes?" synth shaeps --help
refused 2 "did you mean synth?" snyth --help
refused 2 "synth: no -o found, -o DIR wanted" synth shapes
refused 2 "--szie: no such option; did you mean --size?" synth shapes -o x --szie 3
refused 2 "--size: \"abc\" found, a whole number in 8..4096 wanted" synth shapes -o x --size abc
refused 2 "--size: \"7\" found" synth shapes -o x --size=7
refused 2 "--size: nothing found after it" synth shapes -o x --size
refused 2 "-o: nothing found after it" synth shapes -o
refused 2 "--json: a value found" synth shapes -o x --json=1
refused 2 "--no-labels: \"perhaps\" found, true or false wanted" inspect x --no-labels=perhaps
refused 2 "--precision: \"f33\" found, one of auto|f32|bf16|fast wanted" embed pixels x -o y.npy --precision f33
refused 2 "--precision fast: this processor" embed pixels synth:shapes,n=4 -o y.npy --precision fast --isa avx2
# auto is bf16 where the processor multiplies it faster than f32 (Intel, since it has fp16: on AMX only), and is said; in training fast
# there without AMX, else bf16 where there is any
run embed pixels synth:shapes,n=4 -o y.npy --isa avx2; want_code 0; want_err ", f32"
run embed pixels synth:shapes,n=4 -o y.npy; want_code 0
has() { grep -qw "$1" /proc/cpuinfo; }
pays=f32 trains=f32
if has avx512_bf16; then trains=bf16; fi
if has avx512_bf16 && { has amx_bf16 || ! has GenuineIntel || ! has avx512_fp16; }; then pays=bf16; has amx_bf16 || trains=fast; fi
want_err ", $pays"
run train swav synth:shapes,n=8,size=12 -o trained --epochs 0; want_code 0; want_err ", $trains"
run train swav synth:shapes,n=8,size=12 -o trained --overwrite --epochs 0 --isa avx2; want_code 0; want_err ", f32"
refused 2 "--temperature: \"nan\" found" eval knn pixels --temperature nan
refused 2 "bench swav-stpe: no such NAME; did you mean swav-step?" bench swav-stpe
refused 2 "--steps: \"0\" found" bench swav-step --steps 0
run bench --help; want_code 0; want_out "usage: protea bench [NAME] [options]"
run train --help; want_code 0; want_out "swapped prediction"
refused 2 "inspect: 0 arguments found, PATH wanted" inspect
refused 2 "inspect: 2 arguments found, PATH wanted" inspect a b
refused 2 "inspect: -o x found, but it writes no files" inspect a -o x
refused 2 "embed: 1 argument found, MODEL DATA wanted" embed pixels -o x.npy
want_no_file x

# dashes and underscores, equals signs and blanks, flags in any place, the last one wins
run synth shapes --n=7 -o a --size 9 --size 8 --json; want_code 0; want_json n 7
run inspect --no_labels a --json; want_code 0; want_json classes 0; want_json width '\[8, 8\]'
run inspect --no-labels --no-no-labels -- a --json; want_code 2
run inspect --quiet -- a; want_code 0; want_out "classes           7"; want_no_err

# threads that wait sleep soon, unless the caller says how to wait
waiting() { env -u OMP_WAIT_POLICY -u GOMP_SPINCOUNT OMP_DISPLAY_ENV=verbose "$@" "$protea" --version 2>err >out || fail "exit code 0 wanted"; }
waiting LC_ALL=C; grep -c "GOMP_SPINCOUNT" err | grep -qx 2 || fail "a second start wanted"
grep "GOMP_SPINCOUNT" err | tail -n 1 | grep -q "'10001'" || fail "few spins wanted"
waiting OMP_WAIT_POLICY=active; grep -c "GOMP_SPINCOUNT" err | grep -qx 1 || fail "one start wanted"
waiting GOMP_SPINCOUNT=77; grep "GOMP_SPINCOUNT" err | grep -q "'77'" || fail "77 spins wanted"
finish
