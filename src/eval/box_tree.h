/* A tree of boxes over points of the plane, by which far ones repel as one.
 *
 * Points are put in order along Hilbert's curve. PROTEA_MAP_GROUP in a row are a leaf; PROTEA_BOX_CHILDREN boxes in a row are a
 * box of the next level, up to one that holds all. Who is a leaf's neighbour on the curve lies near it, so boxes are small. */
#ifndef PROTEA_EVAL_BOX_TREE_H
#define PROTEA_EVAL_BOX_TREE_H

#include "tensor/context.h"

enum { PROTEA_BOX_CHILDREN = 4, PROTEA_BOX_LEVELS = 16 };

/* The smallest that holds its points. */
typedef struct protea_box {
    float low[2], high[2];
    float centre[2];    /* mean of its points */
    float mass;         /* how many they are */
    float near;         /* squared distance up to which it does not count as one point */
} protea_box;

typedef struct protea_box_tree {
    int64_t n;
    int n_levels;
    int64_t level[PROTEA_BOX_LEVELS + 1]; /* boxes of level l are level[l] to level[l + 1]; level 0: the leaves */
    protea_box *box;
    int32_t *order;     /* (n) number of the point at each place along the curve */
    float *x, *y, *mass; /* (leaves,PROTEA_MAP_GROUP) points along the curve; the last leaf is filled up with mass 0 */
    uint64_t *key;      /* (2,n): room for sorting */
} protea_box_tree;

/* For n >= 1 points. Errors: PROTEA_ERR_MEMORY. Release in any case. */
protea_status protea_box_tree_new(protea_box_tree *t, int64_t n);
void protea_box_tree_release(protea_box_tree *t); /* accepts a zeroed one */

/* Puts the points x, y (n) into it. theta: of <protea/tsne.h>. */
void protea_box_tree_build(protea_box_tree *t, const float *x, const float *y, double theta);

/* Sums (see kernels.h) over all points, its own among them, for each point of a leaf. */
void protea_box_tree_repel(const protea_ctx *cx, protea_map_sums *sums, const protea_box_tree *t, int64_t leaf);

#endif
