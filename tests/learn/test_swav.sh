# Proves: SwAV learns (learns.sh). 0.238, then 0.39 to 0.49 (f32 and bf16 with two seeds, fast with one); with the codes of other
# images the run ends as collapsed. Colours as strong as in the other small recipes: with swav-small's own, runs of six epochs
# still know pictures by their colours or just leave that, and came to between 0.12 and 0.48 (four seeds; f32, bf16).
. "$(dirname "$0")/learns.sh"
learns swav 0.1 --epochs 8 --brightness 0.6 --contrast 0.6 --saturation 0.6 --hue 0.5 --gray-p 0.3
finish
