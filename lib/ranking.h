/* ranking.h: how alike vectors are, and which score highest. */
#ifndef RANKING_H
#define RANKING_H

#include <stddef.h>
#include <stdint.h>

/* Cosine of the angle between two vectors [dim]; 0 when one of them is zero. */
double cosine(const float *a, const float *b, size_t dim);

/* A thing with a number, such as a row, and its score. */
typedef struct {
    double score;
    uint32_t row;
} Scored;

/* The highest score first; among equals the lowest row. */
void sort_scored(Scored *scored, size_t count);

#endif
