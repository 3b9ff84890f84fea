# Proves: what tests/fault proves for some allocations of each job holds for all of them.
set -u
programs=$(dirname "$(realpath "$1")")/tests
export FAULT_TRIES=0
"$programs/test_memory" && "$programs/test_train_memory"
