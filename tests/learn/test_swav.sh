# Proves: SwAV learns (learns.sh). 0.238, then 0.417; with the codes of other images the run ends as collapsed.
. "$(dirname "$0")/learns.sh"
learns swav 0.08 --epochs 6
finish
