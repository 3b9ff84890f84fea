# Proves, in a browser: the page of clusters says nothing on the console and loads nothing; pointer and focus show pictures, links and
# keys lead where they say, with a script and without, with a map and without; names of files stay text; nothing sticks out at
# three widths, light and dark.
# Wants node with playwright-core (`npm install playwright-core` anywhere, and NODE_PATH) and chromium; is skipped without.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/harness.sh"

skip() { echo "skipped: $1"; exit 77; }
command -v node >/dev/null || skip "no node"
node -e 'require("playwright-core")' 2>/dev/null || skip "node finds no playwright-core; npm install it and set NODE_PATH"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip "no chromium"

mkdir -p 'evil/<b>x<'
"$protea" synth shapes -o data --n 200 --size 32 --quiet >/dev/null
n=0
find data -name '*.png' | sort | while read -r file; do
    n=$((n + 1))
    cp "$file" "evil/<b>x</\"><img src=x onerror=alert($n)>'.png"
done
run cluster pixels evil -o 'its # own%20page' --k 3,5; want_code 0
run cluster pixels evil -o mapless --k 3 --map none; want_code 0
last="node cluster_page.js"
code=0
timeout 400 node "$here/cluster_page.js" "$browser" "$place/its # own%20page/k5/report.html" "$place/mapless/report.html" \
    >out 2>err || { code=$?; fail "a page that works wanted"; }
finish
