# Proves: bench says what it measured, and on what, under the keys that scripts rely on; what has no peer is refused one.
. "$(dirname "$0")/harness.sh"

run bench sinkhorn --steps 1 --threads 1 --json; want_code 0
want_json name '"sinkhorn"'; want_json precision '"(f32|bf16)"'; want_json steps 1
want_json settings '\{"isa": "[^"]*", "threads": 1\}'
want_json seconds_per_step '[0-9.e-]+'; want_json samples_per_second '[0-9.e+]+'; want_json step_memory_mib '[0-9.e+]+'
want_json noise '[0-9.e-]+'
run bench sinkhorn --steps 1 --precision f32 --json; want_code 0; want_json precision '"f32"'
refused 2 "--peer: corrupt has no peer" bench corrupt --peer
refused 2 "--peer: corrupt has no peer" bench corrupt --plain-peer
refused 2 "--pairs: \"0\" found" bench sinkhorn --peer --pairs 0
finish
