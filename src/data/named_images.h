/* A list that names images of a data set. */
#ifndef PROTEA_DATA_NAMED_IMAGES_H
#define PROTEA_DATA_NAMED_IMAGES_H

#include "data/source.h"

/* Called for each line that names an image: the line's number, from 1, and the image's. */
typedef protea_status (*protea_named_image)(void *self, int64_t line, int64_t image);

/* Reads a text file with an image a line: its path in the data set, or the name of its file where only one image has it. Empty
 * lines are passed over. name: of the data set, for messages. Errors: PROTEA_ERR_INPUT naming the line (no such image, several of
 * that name; a file that is no list), PROTEA_ERR_IO, those of `found`. */
protea_status protea_named_images_read(const char *path, const protea_source *set, const char *name, protea_named_image found,
                                       void *self);

#endif
