# Proves: PCL learns (learns.sh). 0.238, then 0.331; with keys in another order than their queries the run ends as collapsed.
. "$(dirname "$0")/learns.sh"
learns pcl 0.05 --epochs 6
finish
