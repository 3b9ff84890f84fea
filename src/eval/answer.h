/* What a classifier says of one image. */
#ifndef PROTEA_EVAL_ANSWER_H
#define PROTEA_EVAL_ANSWER_H

#include <stdint.h>

typedef struct protea_answer {
    int32_t label;       /* the most probable class; of equals the first */
    float probability;   /* its own */
    float entropy;       /* of the whole row, in nats: 0 certain, ln C clueless */
} protea_answer;

/* p (C): probabilities. */
protea_answer protea_answer_of(const float *p, int n_classes);

#endif
