#include "ranking.h"

#include "exact.h"

#include <stdlib.h>

double cosine(const float *a, const float *b, size_t dim) {
    double product = 0, length = exact_norm(a, dim, 2) * exact_norm(b, dim, 2);
    for (size_t d = 0; d < dim; d++) product += (double)a[d] * (double)b[d];
    return length > 0 ? product / length : 0;
}

static int higher(const void *a, const void *b) {
    const Scored *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

void sort_scored(Scored *scored, size_t count) {
    if (count > 0) qsort(scored, count, sizeof *scored, higher);
}
