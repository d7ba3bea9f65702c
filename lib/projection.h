/* projection.h: principal component analysis: many dimensions seen on a plane. */
#ifndef PROJECTION_H
#define PROJECTION_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t dim;
    double *mean;    /* [dim] of the rows it was made from */
    double *axis[2]; /* [dim] unit vectors: the directions in which the rows differ most */
    double share[2]; /* of the rows' variance that lies along each, 0..1 */
} Projection;

/* The plane on which the rows table[row[i]] [dim] are spread most widely. Rows that do not differ,
   or differ in one direction only, leave axes of zeros: everything is projected on 0 there. */
Projection projection_make(const float *table, size_t dim, const uint32_t *row, size_t count);
void projection_free(Projection *projection);

/* The smallest rectangle around points. Starts as NO_BOUNDS. */
typedef struct {
    double low[2], high[2];
} Bounds;
#define NO_BOUNDS ((Bounds){{1e300, 1e300}, {-1e300, -1e300}})

/* at [count]: where the rows table[row[i]] are on the plane. The bounds grow to hold them. */
void project_rows(const Projection *projection, const float *table, const uint32_t *row,
                  size_t count, double (*at)[2], Bounds *bounds);

/* How far a point is from the low end of the bounds, 0..1; 0.5 when they have no width. */
double bounds_share(const Bounds *bounds, int axis, double at);

/* Marks on a map of MAP_WIDTH x MAP_HEIGHT are as wide as their names and 2 MARK_RADIUS high. */
enum { MAP_WIDTH = 560, MAP_HEIGHT = 380, MARK_RADIUS = 11 };
double mark_radius(uint32_t id); /* half the width of a character's mark */

/* Moves the marks of these characters, at [count] in units of the map, so that none covers
   another. */
void spread_marks(double (*at)[2], const uint32_t *id, size_t count);

#endif
