/* projection.h: principal component analysis: many dimensions seen on a plane. */
#ifndef PROJECTION_H
#define PROJECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* at [count]: where the rows table[row[i]] [dim] are on the plane on which they are spread most
   widely; their mean is at 0. share: of their variance how much lies along each axis, 0..1. Where
   rows do not differ, or in one direction only, the places along an axis are all 0. */
void project_rows(const float *table, size_t dim, const uint32_t *row, size_t count,
                  double (*at)[2], double share[2]);

/* The lowest place along an axis, and the distance from it to the highest. */
double lowest(double (*at)[2], size_t count, int axis, double *width);

#endif
