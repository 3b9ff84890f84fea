/* Edges of a gray picture and the distance to them, bit for bit as OpenCV 4 computes them. */
#ifndef PROTEA_IMAGE_EDGES_H
#define PROTEA_IMAGE_EDGES_H

#include "image/image.h"

/* Canny's edges (1986) from Sobel gradients over 3 x 3, |dx| + |dy|: out is 0 on an edge and 255 elsewhere, (h,w) both.
 * low, high: thresholds of the hysteresis. Errors: PROTEA_ERR_MEMORY. */
protea_status protea_edges(uint8_t *out, const uint8_t *px, int w, int h, int low, int high);

enum { PROTEA_DISTANCE_BITS = 16 };
/* Distance of each point to the nearest 0 of px, in fixed point: a chamfer with steps 1, 1.4 and 2.1969 (Borgefors 1986);
 * about 2^13 where there is none. */
void protea_distance(int32_t *out, const uint8_t *px, int w, int h);

#endif
