/* projection.h: the characters' rows, which have many dimensions, on a plane (principal component
   analysis). */
#ifndef PROJECTION_H
#define PROJECTION_H

#include "checkpoint.h"

/* The plane on which the rows of the characters that occur are spread most widely; their mean is at
   0. Where rows do not differ, or in one direction only, the places along an axis are all 0. */
typedef struct {
    size_t count;
    uint8_t id[CHARACTERS];   /* [count] */
    double at[CHARACTERS][2]; /* [count] where each is */
    double share[2];          /* how much of their variance lies along each axis, 0..1 */
    double low[2], width[2];  /* the lowest place along each axis, and from it to the highest */
} Plane;

Plane plane_of(const SavedModel *saved);

#endif
