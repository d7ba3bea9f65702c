/* projection.h: principal component analysis: many dimensions seen on a plane. */
#ifndef PROJECTION_H
#define PROJECTION_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t dim;
    double *mean;    /* [dim] of the rows it was made from */
    double *axis[2]; /* [dim] unit vectors: the directions in which the rows differ most; zeros when there is none */
    double share[2]; /* of the rows' variance that lies along each, 0..1 */
} Projection;

/* The plane on which the rows table[row[i]] [dim] are spread most widely. Rows that do not differ, or differ in one direction
   only, leave axes of zeros: everything is projected on 0 there. */
Projection projection_make(const float *table, size_t dim, const uint32_t *row, size_t count);
void projection_free(Projection *projection);

/* Where a row [dim] is on the plane. */
void project(const Projection *projection, const float *row, double *x, double *y);

/* Marks on a map are as wide as their names and 2 MARK_RADIUS high, in the units of a map some 560 wide. */
enum { MARK_RADIUS = 11 };
double mark_radius(uint32_t id); /* half the width of a character's mark */

/* How far to move the marks of these characters from their places [count], so that none covers another: offset [count]. */
void spread_marks(const double (*place)[2], const uint32_t *id, size_t count, double (*offset)[2]);

#endif
