# Proves: where a disk fills up while a real SwAV run saves, at any byte of a file, the run ends with exit code 4 and one line,
# the last good checkpoint stands, and once there is room again the run goes on and ends with the bytes of one that never met it.
. "$(dirname "$0")/small_swav.sh"
swav whole; want_code 0
swav_begin part --resume
until grep -q '"kind":"epoch","step":30' part/metrics.jsonl 2>/dev/null || ! kill -0 $pid 2>/dev/null; do sleep 0.02; done
kill -TERM $pid; code=0; wait $pid || code=$?
want_code 75
size=$(stat -c %s whole/checkpoint.safetensors)

# stands DIR: the run in it failed well, and goes on.
stands() {
    want_code 4; want_one_error
    run inspect "$1" --json; want_code 0
    want_no_file "$1/checkpoint.safetensors.tmp"
    swav "$1" --resume; want_code 0; same_run whole "$1"
}

# ---- a limit of a file's size (ulimit -f, in KiB)
for case in 1 2 3 4 5 6 7 8; do
    limit=$((1 + (RANDOM % 1000) * (size / 1024 - 2) / 1000))
    rm -rf limited; cp -r part limited
    last="ulimit -f $limit; protea train --resume"
    # shellcheck disable=SC2086
    (ulimit -f $limit; exec "$protea" train swav $data $options -o limited --resume >out 2>err </dev/null); code=$?
    cmp -s part/checkpoint.safetensors limited/checkpoint.safetensors || fail "the old checkpoint wanted"
    stands limited
done

# ---- a small disk that something else fills up
mkdir small
if ! mount -t tmpfs -o size=64m tmpfs small 2>/dev/null; then
    echo "skipped: a full tmpfs (mounting one is not allowed here)"
    finish
    exit 0
fi
trap 'umount "$place/small"; rm -rf "$place"' EXIT
for case in 1 2 3 4 5 6 7 8; do
    rm -rf small/run; cp -r part small/run
    swav_begin small/run --resume
    until grep -q "going on at step" err || ! kill -0 $pid 2>/dev/null; do sleep 0.01; done
    left=$((size * (RANDOM % 1000) / 1000))
    head -c $(($(df --output=avail -B1 small | tail -n 1) - left)) /dev/zero >small/filler
    code=0; wait $pid || code=$?
    rm small/filler
    stands small/run
done
finish
