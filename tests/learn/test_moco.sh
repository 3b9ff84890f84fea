# Proves: MoCo learns (learns.sh). 0.238, then 0.343; with keys in another order than their queries 0.189, and it says collapsed.
. "$(dirname "$0")/learns.sh"
learns moco 0.06 --epochs 6
finish
