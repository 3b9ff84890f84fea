# Proves: command lines of MoCo's and SimSiam's code do what they did; what cannot work is refused by name; a resumed run ends in the
# bytes of one that never stopped, with key encoder, queue and shuffled keys; heads give features.
. "$(dirname "$0")/harness.sh"
export OMP_WAIT_POLICY=passive # threads that wait must not starve what else the machine does
small="-a resnet18-w16 --threads 1 -b 16 -j 0 --precision f32 --image-size 12 --warmup-epochs 0"
moco="--moco-dim 8 --moco-k 32 --bn-splits 2"
simsiam="--dim 16 --pred-dim 8 --proj-hidden 16"
"$protea" synth shapes -o set --n 64 --size 12 --quiet >/dev/null
# train METHOD ARGS...
# shellcheck disable=SC2086
train() { run train "$@" $small; }
# want_set KEY VALUE: in the printed configuration.
want_set() { grep -qE "^$1: \"?$2\"?( |\$)" out || fail "wanted: $1: $2"; }

# ---- old flags
# shellcheck disable=SC2086
{
train moco set $moco --lr 0.03 --momentum 0.9 --wd 1e-4 -p 10 --moco-m 0.99 --moco-t 0.2 --mlp --aug-plus --cos --seed 3 --print-config
want_code 0; want_set lr_schedule cosine-epoch; want_set blur_p 0.5; want_set jitter_p 0.8; want_set hue 0.1; want_set mlp true
want_set moco_t 0.2; want_set lr 0.03; want_set batch_size 16; want_set seed 3
train moco set $moco --recipe moco-v1 --schedule 120 160 --print-config
want_code 0; want_set lr_schedule steps; want_set schedule '\[120,160\]'; want_set jitter_p 1; want_set moco_t 0.07
train moco set $moco --aug-plus --hue 0.3 --print-config; want_code 0; want_set hue 0.3
train simsiam set $simsiam --fix-pred-lr --lr 0.05 --print-config; want_code 0; want_set fix_pred_lr true; want_set lr_batch 256
train simsiam set $simsiam --learning-rate 0.07 --weight-decay 1e-3 --start-epoch 0 --print-config; want_code 0; want_set lr 0.07
want_set wd 0.001; want_err "--start-epoch has no meaning here"

# ---- what cannot work
refused 2 "moco_k: 40 found, a multiple of the 16 keys of a step wanted: 32, say" train moco set -o n $small $moco --no-symmetric --moco-k 40
refused 2 "bn_splits: 3 found" train moco set -o n $small $moco --bn-splits 3
refused 2 "nmb_crops: 3 views in 1 sizes found, 2 of one size wanted" train simsiam set -o n $small $simsiam --nmb-crops 3

# ---- runs
same="--lr-schedule constant --quiet"
train moco set -o a $moco $same --epochs 4; want_code 0
train moco set -o b $moco $same --epochs 2; want_code 0
train moco set -o b $moco $same --epochs 4 --resume; want_code 0
same_run a b
run embed a set -o z.npy --features head --json; want_code 0; want_json dim 8
train simsiam set -o c $simsiam $same --epochs 4; want_code 0
train simsiam set -o d $simsiam $same --epochs 2; want_code 0
train simsiam set -o d $simsiam $same --epochs 4 --resume; want_code 0
same_run c d
run embed c set -o z.npy --features head --json; want_code 0; want_json dim 16
run eval knn c --train set --test set --features head --json; want_code 0; want_json n_test 64; want_json features '"head"'
}
finish
