/* Everything a run is made of while it trains, and its memory. */
#ifndef PROTEA_TRAIN_TRAIN_STATE_H
#define PROTEA_TRAIN_TRAIN_STATE_H

#include "train/trainer.h"

typedef struct protea_train_state {
    const protea_trainer *t;      /* borrowed */
    protea_module *backbone;
    void *method;                 /* a copy of t->method, initialised */
    protea_optim *optim;
    protea_loader *loader;        /* NULL when there are no epochs to train */
    protea_schedule schedule;
    double base_lr;               /* of the run's batch size */
    protea_progress now;
    int64_t total_steps;          /* that the run will have */
    double best_accuracy;         /* of the held-out images, so far; negative: not measured yet */
    int64_t best_epoch;           /* when that was, from 1 */
} protea_train_state;

/* Network, method and optimiser from the seed, and the loader: the state before the first step. steps > 0: the run has so
 * many (a time limit), else t->opts->epochs epochs. Close in any case, also after a failure. */
protea_status protea_train_state_open(protea_train_state *s, const protea_trainer *t, int64_t steps);
void protea_train_state_close(protea_train_state *s);

/* Changes the run's length; the schedule follows. */
void protea_train_state_set_total(protea_train_state *s, int64_t steps);

/* Plans a step, makes the arenas, and logs what memory it takes. */
protea_status protea_train_state_plan(protea_train_state *s);

/* Visits what is optimised: backbone.* and the method's. self: protea_train_state. */
protea_status protea_train_state_visit(void *self, const protea_visitor *v);
/* Visits all that a checkpoint holds: the above and optimizer.*. */
protea_status protea_train_state_visit_saved(void *self, const protea_visitor *v);
/* Visits the backbone under torchvision's names. */
protea_status protea_train_state_visit_encoder(void *self, const protea_visitor *v);
/* The same and the classifier, fc. */
protea_status protea_train_state_visit_model(void *self, const protea_visitor *v);
/* NULL for methods that learn no classes. */
protea_module *protea_train_state_classifier(const protea_train_state *s);

/* Moves the position: step counts over the run. */
void protea_train_state_move(protea_train_state *s, int64_t step);

#endif
