/* One line per benchmark, alphabetical: X(NAME, WORD) stands for the table protea_bench_NAME, called WORD by people. */
#define PROTEA_BENCH_LIST(X) \
    X(augment, "augment")                   \
    X(conv, "conv")                         \
    X(conv_resnet50, "conv-resnet50")       \
    X(corrupt, "corrupt")                   \
    X(decode, "decode")                     \
    X(deepcluster_step, "deepcluster-step") \
    X(embed, "embed")                       \
    X(kmeans, "kmeans")                     \
    X(knn, "knn")                           \
    X(moco_step, "moco-step")               \
    X(pcl_step, "pcl-step")                 \
    X(resnet18_step, "resnet18-step")       \
    X(resnet50_step, "resnet50-step")       \
    X(simsiam_step, "simsiam-step")         \
    X(sinkhorn, "sinkhorn")                 \
    X(swav_step, "swav-step")               \
    X(tent, "tent")                         \
    X(tsd, "tsd")                           \
    X(tsd_bank, "tsd-bank")         \
    X(tsne, "tsne")
