/* Small pictures of a page, each stored once however often it is shown: picture i is the custom property --t of the class "ti",
 * and whatever has that class may paint it. All of them together stay within a number of bytes. */
#ifndef PROTEA_REPORT_THUMBS_H
#define PROTEA_REPORT_THUMBS_H

#include <stdio.h>

#include "data/source.h"

/* Writes a rule for each of n images of the source (their centre squares), and at most `budget` bytes. The fewer there are, the
 * larger they may be, to 160 pixels a side; those of 64 pixels and less go as they are (PNG), others as JPEG, and while they do not
 * fit, all become smaller and coarser. What does not fit even so is left out from the end; an image that cannot be read has no
 * rule. Memory: about 100 MB. Errors: PROTEA_ERR_MEMORY, PROTEA_ERR_INTERNAL. */
protea_status protea_thumbs_write(FILE *out, protea_source *source, const int64_t *image, int n, size_t budget);

#endif
