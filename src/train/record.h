/* What a run writes down about itself (the metadata of its checkpoints), and what a resume compares. */
#ifndef PROTEA_TRAIN_RECORD_H
#define PROTEA_TRAIN_RECORD_H

#include "train/checkpoint.h"
#include "train/train_state.h"

/* Fails with PROTEA_ERR_IO when the disk has no room for the checkpoints that the run will write. */
protea_status protea_record_room(protea_train_state *s);

/* Saves the checkpoint, keeping the generation before it, the encoder, and the model for use of a method with a classifier as
 * long as no validation has chosen one. Errors: as protea_checkpoint_save. */
protea_status protea_record_save(protea_train_state *s);

/* Saves backbone, classifier and class names as they stand: RUN/model.safetensors. Errors: as protea_checkpoint_save. */
protea_status protea_record_save_model(protea_train_state *s);

/* Refuses to go on when the method, the data or an option is not what the checkpoint was made with, naming it; warns where
 * the result is only close. Errors: PROTEA_ERR_USAGE. */
protea_status protea_record_check(const protea_trainer *t, const protea_st_file *file);

/* Which validation was the best when the checkpoint was made. Errors: PROTEA_ERR_INPUT. */
protea_status protea_record_best(protea_train_state *s, const protea_st_file *file);

/* The length of a run with a time limit, as the checkpoint has it; 0: it has no limit. */
protea_status protea_record_total(const protea_trainer *t, const protea_st_file *file, int64_t *steps);

#endif
