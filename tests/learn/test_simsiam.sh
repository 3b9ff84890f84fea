# Proves: SimSiam learns (learns.sh). 0.180, then 0.255; with each view predicting itself instead of the other, 0.171.
. "$(dirname "$0")/learns.sh"
learns simsiam 0.04 --epochs 8
finish
