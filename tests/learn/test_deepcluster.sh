# Proves: DeepCluster-v2 learns (learns.sh). 0.238, then 0.364; with the clusters of other images, others for each view, 0.132.
. "$(dirname "$0")/learns.sh"
learns deepcluster-v2 0.06 --epochs 8
finish
