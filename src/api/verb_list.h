/* One line per verb, in the order of the help. */
#define PROTEA_VERB_LIST(X) \
    X(train)   \
    X(predict) \
    X(embed)   \
    X(kmeans)  \
    X(cluster) \
    X(assign)  \
    X(eval)    \
    X(adapt)   \
    X(corrupt) \
    X(synth)   \
    X(inspect) \
    X(doctor)  \
    X(report)  \
    X(bench)
