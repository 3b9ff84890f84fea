/* One line per protocol, in the order of the help: X(NAME) stands for the table protea_protocol_NAME. */
#define PROTEA_PROTOCOL_LIST(X) \
    X(knn)                      \
    X(linear)                   \
    X(finetune)                 \
    X(svm)                      \
    X(clusters)
