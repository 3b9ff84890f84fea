# Proves: a run's page can be written again, with its neighbours, and keeps them when the data are gone; what is no run is
# refused.
. "$(dirname "$0")/harness.sh"

"$protea" synth shapes -o pictures --n 60 --quiet >/dev/null
run train swav pictures -o run --arch resnet18-w16 --epochs 0; want_code 0
rm -f run/report.html
run report run --json; want_code 0; want_json file '"run/report.html"'; want_file run/report.html
[ "$(grep -c '<figure class="sheet">' run/report.html)" -eq 12 ] || fail "12 sheets of neighbours wanted"
grep -qiE '<script|https?:|src="[^d]' run/report.html && fail "a page that loads nothing wanted"
cp run/report.html before.html
mv pictures gone
run report run; want_code 0; want_err "the sheets of neighbours stay as they are"
cmp -s run/report.html before.html || fail "the same page wanted"
run report run gone; want_code 0
[ "$(grep -c '<figure class="sheet">' run/report.html)" -eq 12 ] || fail "12 sheets of the data named wanted"
refused 3 "nothing" report run nothing
refused 3 "nothing" report nothing
cmp -s run/report.html before.html || grep -q 'class="sheet"' run/report.html || fail "a page that stands wanted"
mkdir empty
refused 3 "config.yaml" report empty
finish
